using Dcr.Jose;
using Dcr.Protocol;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace Dcr.Keys;

/// <summary>
/// The JWK Sets of <c>jwks_uri</c>s, kept in this process: fresh for as long as their hosts say within limits, then
/// revalidated before they are used again; downloaded once however many ask; dropped when they are too old. Ages are measured by the
/// clock that only goes forward. Bounded in bytes, the least used going first (decision 0005).
/// </summary>
internal sealed class JwksCache(JwksFetcher fetcher, IOptions<JwksOptions> options, JwksMetrics metrics, TimeProvider time) : IDisposable
{
    private const long MaxBytes = 96 * 1024 * 1024;

    // Documents of which no client is registered yet: a stranger's must not push out those of clients.
    private const long MaxNewcomerBytes = 16 * 1024 * 1024;

    // What an entry costs beside its keys.
    private const int Overhead = 2048;

    private const int MaxWaitingForNewer = 5000;

    // While a host is down, requests are served by what is known, and one of them looks again this often.
    private static readonly TimeSpan s_retryAfterFailure = TimeSpan.FromSeconds(10);

    // A caller waits no longer than this for the next download that the budget allows.
    private static readonly TimeSpan s_longestWait = TimeSpan.FromSeconds(15);

    private readonly JwksOptions _options = options.Value;
    private readonly MemoryCache _kept = new(new MemoryCacheOptions { SizeLimit = MaxBytes });
    private readonly MemoryCache _newcomers = new(new MemoryCacheOptions { SizeLimit = MaxNewcomerBytes });
    private readonly Lock _adding = new();
    private int _waitingForNewer;

    /// <summary>In which there are <see cref="UnknownKidBudget.InCooldown"/> downloads because of keys that were not found.</summary>
    public TimeSpan UnknownKidCooldown => _options.UnknownKidCooldown;

    /// <summary>What is known of a URI now, without a download. Null: nothing.</summary>
    public CachedJwks? Peek(string uri) => (_kept.Get<JwksEntry>(uri) ?? _newcomers.Get<JwksEntry>(uri))?.Current;

    /// <summary>The keys of a URI, as fresh as they must be.</summary>
    /// <exception cref="DownloadsBusyException">They must be downloaded, and that did not come to its turn.</exception>
    public async ValueTask<FoundKeys> FindAsync(string uri, FetchCaller caller, CancellationToken cancellationToken)
    {
        var entry = EntryOf(uri, caller.Room);
        var asked = entry.Begun;
        // A host that just failed is not asked again at once; what is known serves until it is too old.
        if (!entry.Current.IsFresh(time)
            && !(entry.Current.LastFailure is { } failure && time.GetElapsedTime(failure.Timestamp) < s_retryAfterFailure))
        {
            await JoinOrStartAsync(entry, caller, cancellationToken);
        }
        return ToFound(entry, asked);
    }

    /// <summary>
    /// The keys of a URI after what was <paramref name="seen"/> had not the one that is asked for: perhaps it was published a
    /// moment ago. What a download says that began after the caller came; when the budget for them is spent, the caller waits for
    /// the next one, which answers all that wait. Null: none is due in time, and what was seen stands.
    /// </summary>
    /// <exception cref="DownloadsBusyException">It did not come to its turn, or too many wait.</exception>
    public async ValueTask<FoundKeys?> FindNewerAsync(
        string uri, FoundKeys seen, Func<PublicKeySet, bool> hasKey, FetchCaller caller, CancellationToken cancellationToken)
    {
        var entry = seen.Entry ?? throw new InvalidOperationException($"Keys that did not come from {uri}.");
        var came = time.GetTimestamp();
        // One that had begun before may have the key already.
        while (entry.Current is var current
            && current.Number <= seen.Asked
            && (current.Keys is not { } keys || keys == seen.Set || !hasKey(keys)))
        {
            if (entry.UnderWay(caller.Room) is { } running)
            {
                await running.WaitAsync(cancellationToken);
            }
            else if (entry.UnknownKids.Take() is not { } wait)
            {
                await JoinOrStartAsync(entry, caller, cancellationToken);
            }
            else if (time.GetElapsedTime(came) + wait > s_longestWait)
            {
                return null;
            }
            else
            {
                await WaitAsync(wait, cancellationToken);
            }
        }
        return ToFound(entry, seen.Asked);
    }

    /// <summary>A download now, for a registration: the URI must work at this moment.</summary>
    /// <exception cref="DownloadsBusyException">It did not come to its turn.</exception>
    public async Task<FoundKeys> FetchAsync(string uri, FetchCaller caller, CancellationToken cancellationToken)
    {
        var entry = EntryOf(uri, caller.Room);
        await JoinOrStartAsync(entry, caller, cancellationToken);
        var current = entry.Current;
        return current.LastFailure is { } failure
            ? new FoundKeys(null, failure.Detail) { PublicFault = failure.Description }
            : new FoundKeys(current.Keys, "");
    }

    /// <summary>A key of the document was imported, which takes memory.</summary>
    public void Recharge(string uri)
    {
        if (_kept.TryGetValue(uri, out JwksEntry? entry) && entry is not null)
        {
            Keep(_kept, entry);
        }
    }

    public void Dispose()
    {
        _kept.Dispose();
        _newcomers.Dispose();
    }

    private async Task WaitAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        try
        {
            if (Interlocked.Increment(ref _waitingForNewer) > MaxWaitingForNewer)
            {
                throw new DownloadsBusyException();
            }
            // Timers count whole milliseconds.
            await Task.Delay(wait + TimeSpan.FromMilliseconds(1), time, cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waitingForNewer);
        }
    }

    private FoundKeys ToFound(JwksEntry entry, long asked)
    {
        var current = entry.Current;
        if (current.Keys is { } keys && (current.IsFresh(time) || current.Age(time) < _options.MaxStaleness))
        {
            metrics.Used(current.Age(time));
            return new FoundKeys(keys, "") { Entry = entry, Asked = asked };
        }
        return new FoundKeys(null, current.LastFailure?.Detail ?? "the document is too old.") { Entry = entry, Asked = asked };
    }

    private JwksEntry EntryOf(string uri, FetchRoom room)
    {
        if (_kept.TryGetValue(uri, out JwksEntry? known) && known is not null)
        {
            return known;
        }
        lock (_adding)
        {
            var entry = _kept.Get<JwksEntry>(uri)
                ?? _newcomers.Get<JwksEntry>(uri)
                ?? new JwksEntry(uri, new UnknownKidBudget(_options.UnknownKidCooldown, time), time);
            if (room == FetchRoom.Registered)
            {
                // A client has been registered with it since.
                _newcomers.Remove(uri);
                Keep(_kept, entry);
            }
            else if (_kept.Get<JwksEntry>(uri) is null)
            {
                Keep(_newcomers, entry);
            }
            return entry;
        }
    }

    private static void Keep(MemoryCache cache, JwksEntry entry) =>
        cache.Set(
            entry.Uri, entry, new MemoryCacheEntryOptions { Size = Overhead + (2 * entry.Uri.Length) + (entry.Current.Keys?.Cost ?? 0) });

    // The download goes on for the others when one caller leaves.
    private Task JoinOrStartAsync(JwksEntry entry, FetchCaller caller, CancellationToken cancellationToken) =>
        entry.JoinOrStartAsync(caller.Room, number => DownloadAsync(entry, number, caller), cancellationToken);

    private async Task DownloadAsync(JwksEntry entry, long number, FetchCaller caller)
    {
        var known = entry.Current;
        var started = time.GetTimestamp();
        var outcome = await fetcher.FetchAsync(
            new Uri(entry.Uri), known.Keys is null ? JwksValidators.None : known.Validators, caller, CancellationToken.None);
        metrics.Fetched(outcome, time.GetElapsedTime(started));
        if (outcome is JwksFetchBusy)
        {
            throw new DownloadsBusyException();
        }
        entry.Replace(number, now => now.After(outcome, known, started, _options, time));
        lock (_adding)
        {
            // Set again, since the size may have changed.
            Keep(_kept.Get<JwksEntry>(entry.Uri) == entry ? _kept : _newcomers, entry);
        }
    }
}
