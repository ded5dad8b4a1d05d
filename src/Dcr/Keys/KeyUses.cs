using System.Collections.Concurrent;
using Dcr.Protocol;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dcr.Keys;

/// <summary>
/// Remembers which key of which client was used, and writes it down once a minute: no request waits for it, and a busy
/// client costs one row a minute. What could not be written waits for the next minute. What is not written yet when the process is
/// killed is lost, a minute at most.
/// </summary>
internal sealed partial class KeyUses(IKeyUseStore store, TimeProvider time, ILogger<KeyUses> logger) : BackgroundService
{
    private const int MaxWaiting = 200_000;
    private const int WrittenAtOnce = 1000;
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(1);

    /// <summary>
    /// A use that nobody knows of any more counts no longer than this: a key is quiet when it has not been used for a day.
    /// </summary>
    private static readonly TimeSpan s_lostCountsFor = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<(string ClientId, string Thumbprint), DateTimeOffset> _waiting = new();
    private volatile bool _isBehind;
    private Lost? _lost;

    /// <summary>
    /// Uses of the last day could not be written down, or not even be remembered: what <see cref="FindAsync"/> gives may be too old.
    /// </summary>
    public bool MayBeMissing => _isBehind || (Volatile.Read(ref _lost) is { } lost && time.GetElapsedTime(lost.At) < s_lostCountsFor);

    /// <summary>Keys of a hosted set are also counted for the set, whichever client used them.</summary>
    public static string OwnerOf(HostedKeySet set) => OwnerOf(set.Id);

    public static string OwnerOf(string keySetId) => KeyUse.KeySetPrefix + keySetId;

    public void Record(string clientId, string thumbprint)
    {
        var key = (clientId, thumbprint);
        // Counting locks the whole dictionary: only for a key that is not in it.
        if (_waiting.ContainsKey(key) || _waiting.Count < MaxWaiting)
        {
            _waiting[key] = time.GetUtcNow();
        }
        else
        {
            Volatile.Write(ref _lost, new Lost(time.GetTimestamp()));
        }
    }

    /// <summary>When each key was last used, also what has not been written yet on this node.</summary>
    /// <param name="clientId">Whose keys.</param>
    /// <param name="thumbprints">Of which keys.</param>
    /// <param name="since">When the owner was made: uses of before are those of another that had its id.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> FindAsync(
        string clientId, IEnumerable<string> thumbprints, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, DateTimeOffset>(await store.FindAsync(clientId, cancellationToken), StringComparer.Ordinal);
        foreach (var thumbprint in thumbprints)
        {
            if (_waiting.TryGetValue((clientId, thumbprint), out var usedAt))
            {
                found[thumbprint] = usedAt;
            }
        }
        return found.Where(use => use.Value >= since).ToDictionary();
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
        var isBehind = false;
        foreach (var uses in _waiting.ToArray().Chunk(WrittenAtOnce))
        {
            isBehind |= !await TryWriteAsync(uses, cancellationToken);
        }
        _isBehind = isBehind;
    }

    /// <summary>False: these wait for the next minute.</summary>
    private async Task<bool> TryWriteAsync(
        KeyValuePair<(string ClientId, string Thumbprint), DateTimeOffset>[] uses, CancellationToken cancellationToken)
    {
        try
        {
            await store.RecordAsync(
                [.. uses.Select(use => new KeyUse(use.Key.ClientId, use.Key.Thumbprint, use.Value))], cancellationToken);
        }
        catch (StoreUnavailableException exception)
        {
            LogWaiting(exception, uses.Length);
            return false;
        }
        // When a key was used is no reason to stop serving.
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            LogFailed(exception, uses.Length);
            return false;
        }
        foreach (var use in uses)
        {
            // Only as it was written: a later use waits for the next minute.
            _waiting.TryRemove(use);
        }
        return true;
    }

    /// <param name="At">By the monotonic clock.</param>
    private sealed record Lost(long At);

    [LoggerMessage(
        EventId = 1303, Level = LogLevel.Warning, Message = "The last use of {Count} keys waits to be written: the store is away")]
    private partial void LogWaiting(Exception exception, int count);

    [LoggerMessage(
        EventId = 1304, Level = LogLevel.Error, Message = "The last use of {Count} keys could not be written; it is tried again")]
    private partial void LogFailed(Exception exception, int count);
}
