using Dcr.Clients;
using Dcr.Onboarding;
using Dcr.Protocol;
using Dcr.SigningKeys;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dcr;

/// <summary>
/// Prepares the store before the first request is answered: tables or indexes, signing keys, the first administrator, the seed file.
/// Nothing is written before the server listens, so that a start that fails has changed nothing: faults of the configuration, of
/// the seed file and a port in use end it before. A store that is away is tried again in the background, so that a node that starts
/// before its database needs no restart.
/// </summary>
internal sealed partial class StartUp(
    IStoreLifecycle store,
    ServerKeys signingKeys,
    SeedFileReader seedFile,
    SeedFileApplier applySeedFile,
    FirstAdministrator makeFirstAdministrator,
    ClockWatch clock,
    IClientStore clients,
    Readiness readiness,
    TimeProvider time,
    ILogger<StartUp> logger) : BackgroundService, IHostedLifecycleService
{
    private static readonly TimeSpan s_retryAfter = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan s_toldAgainAfter = TimeSpan.FromMinutes(1);

    private IReadOnlyList<SeededClient> _seed = [];
    private long? _toldAt;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override async Task StartAsync(CancellationToken cancellationToken) => _seed = await seedFile.ReadAsync(cancellationToken);

    /// <summary>The server listens by now, and answers 503 until it is ready.</summary>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        await TryPrepareAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

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
            await clock.BeginAsync(cancellationToken);
            await signingKeys.RingAsync(cancellationToken);
            // Before the seed file: an administrator that could not be made must not leave a store behind that nobody rules.
            if (!_seed.Any(client => ScopeTokens.Split(client.Metadata.Scope).Contains(ScopeTokens.Administration))
                && !await clients.HasAdministratorAsync(cancellationToken))
            {
                await makeFirstAdministrator.ExecuteAsync(cancellationToken);
            }
            await applySeedFile.ExecuteAsync(_seed, cancellationToken);
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

    [LoggerMessage(EventId = 2401, Level = LogLevel.Error, Message = "The store is away ({Reason}); trying again every {RetryAfter}")]
    private partial void LogAway(Printed reason, TimeSpan retryAfter);
}
