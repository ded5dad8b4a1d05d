using Dcr.Administration;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dcr;

/// <summary>Whether the store has been prepared; until then every endpoint that needs it answers 503.</summary>
internal sealed class Readiness
{
    public bool IsReady { get; private set; }

    public void SetReady() => IsReady = true;
}

/// <summary>
/// Prepares the store before the first request: tables or indexes, signing keys, the seed file, the first
/// administrator. Faults of the configuration end the start; a store that is away is tried again in the background,
/// so that a node that starts before its database needs no restart.
/// </summary>
internal sealed partial class StartUp(
    IStoreLifecycle store,
    SigningKeys signingKeys,
    SeedFileReader seedFile,
    ApplySeedFile applySeedFile,
    MakeFirstAdministrator makeFirstAdministrator,
    IClientStore clients,
    Readiness readiness,
    TimeProvider time,
    ILogger<StartUp> logger) : BackgroundService
{
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan s_toldAgainAfter = TimeSpan.FromMinutes(1);

    private IReadOnlyList<SeededClient> _seed = [];
    private long? _toldAt;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        _seed = await seedFile.ReadAsync(cancellationToken);
        await TryPrepareAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!readiness.IsReady)
        {
            await Task.Delay(s_retryAfter, time, stoppingToken);
            await TryPrepareAsync(stoppingToken);
        }
    }

    private async Task TryPrepareAsync(CancellationToken cancellationToken)
    {
        try
        {
            await store.InitializeAsync(cancellationToken);
            await signingKeys.RingAsync(cancellationToken);
            var wasEmpty = await clients.IsEmptyAsync(cancellationToken);
            await applySeedFile.ExecuteAsync(_seed, cancellationToken);
            if (wasEmpty && !_seed.Any(client => ScopeTokens.Split(client.Metadata.Scope).Contains(ScopeTokens.Administration)))
            {
                await makeFirstAdministrator.ExecuteAsync(cancellationToken);
            }
            readiness.SetReady();
        }
        catch (StoreUnavailableException exception)
        {
            if (_toldAt is not { } toldAt || time.GetElapsedTime(toldAt) >= s_toldAgainAfter)
            {
                _toldAt = time.GetTimestamp();
                LogAway(exception.Reason, s_retryAfter);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The store is away ({Reason}); trying again every {RetryAfter}")]
    private partial void LogAway(string reason, TimeSpan retryAfter);
}
