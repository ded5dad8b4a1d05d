using System.Collections.Concurrent;
using Dcr.Protocol;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dcr.Keys;

/// <summary>
/// Remembers which key of which client was used, and writes it down once a minute: no request waits for it, and a busy
/// client costs one row a minute. What is not written yet when the process is killed is lost, a minute at most.
/// </summary>
internal sealed partial class KeyUses(IKeyUseStore store, TimeProvider time, ILogger<KeyUses> logger) : BackgroundService
{
    private const int MaxWaiting = 200_000;
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(1);

    private ConcurrentDictionary<(string ClientId, string Thumbprint), DateTimeOffset> _waiting = new();

    /// <summary>Keys of a hosted set are also counted for the set, whichever client used them.</summary>
    public static string OwnerOf(HostedKeySet set) => OwnerOf(set.Id);

    public static string OwnerOf(string keySetId) => "key-set:" + keySetId;

    public void Record(string clientId, string thumbprint)
    {
        var key = (clientId, thumbprint);
        // Counting locks the whole dictionary: only for a key that is not in it.
        if (_waiting.ContainsKey(key) || _waiting.Count < MaxWaiting)
        {
            _waiting[key] = time.GetUtcNow();
        }
    }

    /// <summary>When each key was last used, also what has not been written yet on this node.</summary>
    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> FindAsync(string clientId, IEnumerable<string> thumbprints, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, DateTimeOffset>(await store.FindAsync(clientId, cancellationToken), StringComparer.Ordinal);
        foreach (var thumbprint in thumbprints)
        {
            if (_waiting.TryGetValue((clientId, thumbprint), out var usedAt))
            {
                found[thumbprint] = usedAt;
            }
        }
        return found;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await WriteAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            await WriteAsync(stoppingToken);
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        var uses = Interlocked.Exchange(ref _waiting, new());
        if (uses.IsEmpty)
        {
            return;
        }
        try
        {
            await store.RecordAsync([.. uses.Select(use => new KeyUse(use.Key.ClientId, use.Key.Thumbprint, use.Value))], cancellationToken);
        }
        catch (StoreUnavailableException exception)
        {
            LogLost(exception, uses.Count);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The last use of {Count} keys could not be written: the store is away")]
    private partial void LogLost(Exception exception, int count);
}
