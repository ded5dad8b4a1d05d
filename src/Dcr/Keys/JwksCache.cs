using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace Dcr.Keys;

/// <summary>
/// The JWK Sets of <c>jwks_uri</c>s, kept in this process: fresh for as long as their hosts say within limits, then
/// revalidated before they are used again; downloaded once however many ask; dropped when they are too old. Bounded in
/// bytes, the least used going first (decision 0005).
/// </summary>
internal sealed class JwksCache(JwksFetcher fetcher, IOptions<JwksOptions> options, JwksMetrics metrics, TimeProvider time) : IDisposable
{
    private const long MaxBytes = 128 * 1024 * 1024;

    // What an entry costs beside its document: imported keys, strings, bookkeeping.
    private const int Overhead = 4096;

    // While a host is down, requests are served by what is known, and one of them looks again this often.
    private static readonly TimeSpan s_retryAfterFailure = TimeSpan.FromSeconds(10);

    private readonly JwksOptions _options = options.Value;
    private readonly MemoryCache _kept = new(new MemoryCacheOptions { SizeLimit = MaxBytes });
    private readonly Lock _adding = new();

    /// <summary>How long after a download because of a key that was not found there is no other.</summary>
    public TimeSpan UnknownKidCooldown => _options.UnknownKidCooldown;

    /// <summary>What is known of a URI now, without a download. Null: nothing.</summary>
    public CachedJwks? Peek(string uri) => _kept.Get<JwksEntry>(uri)?.Current;

    /// <summary>The keys of a URI, as fresh as they must be.</summary>
    public async ValueTask<FoundKeys> FindAsync(string uri, CancellationToken cancellationToken)
    {
        var entry = EntryOf(uri);
        var now = time.GetUtcNow();
        // A host that just failed is not asked again at once; what is known serves until it is too old.
        if (!entry.Current.IsFresh(now) && !entry.Current.FailedSince(now - s_retryAfterFailure))
        {
            await JoinOrStart(entry).WaitAsync(cancellationToken);
        }
        return ToFound(entry.Current, now);
    }

    /// <summary>
    /// The keys of a URI after what was <paramref name="seen"/> had not the one that is asked for: perhaps it was published a
    /// moment ago. At most one download in the cooldown, whoever asks. Null: none is due, and what was seen stands.
    /// </summary>
    public async ValueTask<FoundKeys?> FindNewerAsync(string uri, ClientKeySet? seen, CancellationToken cancellationToken)
    {
        var entry = EntryOf(uri);
        var now = time.GetUtcNow();
        if (entry.UnderWay is { } running)
        {
            await running.WaitAsync(cancellationToken);
        }
        if (entry.Current.Keys == seen)
        {
            if (!entry.TryUseUnknownKid(now, _options.UnknownKidCooldown))
            {
                return null;
            }
            await JoinOrStart(entry).WaitAsync(cancellationToken);
        }
        return ToFound(entry.Current, now);
    }

    /// <summary>A download now, for a registration: the URI must work at this moment.</summary>
    public async Task<FoundKeys> FetchAsync(string uri, CancellationToken cancellationToken)
    {
        var current = await JoinOrStart(EntryOf(uri)).WaitAsync(cancellationToken);
        return current.LastFailure is { } failure ? new FoundKeys(null, failure.Description) : new FoundKeys(current.Keys, "");
    }

    public void Dispose() => _kept.Dispose();

    private FoundKeys ToFound(CachedJwks current, DateTimeOffset now)
    {
        if (current.Keys is { } keys && (current.IsFresh(now) || now - current.FetchedAt < _options.MaxStaleness))
        {
            metrics.Used(now - current.FetchedAt);
            return new FoundKeys(keys, "");
        }
        return new FoundKeys(null, current.LastFailure?.Description ?? "the document is too old.");
    }

    private JwksEntry EntryOf(string uri)
    {
        if (_kept.TryGetValue(uri, out JwksEntry? known) && known is not null)
        {
            return known;
        }
        lock (_adding)
        {
            return _kept.GetOrCreate(uri, added =>
            {
                added.Size = Overhead;
                return new JwksEntry(uri);
            })!;
        }
    }

    // The download goes on for the others when one caller leaves.
    private Task<CachedJwks> JoinOrStart(JwksEntry entry) => entry.JoinOrStart(() => Task.Run(() => DownloadAsync(entry)));

    private async Task<CachedJwks> DownloadAsync(JwksEntry entry)
    {
        var known = entry.Current;
        var started = time.GetTimestamp();
        var outcome = await fetcher.FetchAsync(new Uri(entry.Uri), known.Keys is null ? JwksValidators.None : known.Validators, CancellationToken.None);
        metrics.Fetched(outcome, time.GetElapsedTime(started));
        var current = Next(known, outcome, time.GetUtcNow());
        // Set again, since the size may have changed.
        _kept.Set(entry.Uri, entry, new MemoryCacheEntryOptions { Size = Overhead + current.Bytes });
        return current;
    }

    private CachedJwks Next(CachedJwks known, JwksFetchOutcome outcome, DateTimeOffset now) => outcome switch
    {
        JwksFetched fetched => new CachedJwks
        {
            Keys = fetched.Keys,
            Bytes = fetched.Bytes,
            Validators = fetched.Validators,
            FetchedAt = now,
            FreshUntil = now + Freshness(fetched.MaxAge),
        },
        JwksNotModified same => known with { FetchedAt = now, FreshUntil = now + Freshness(same.MaxAge), LastFailure = null },
        JwksFetchFailed failed => known with { LastFailure = new JwksFailure(now, failed.Reason, failed.Description) },
        _ => throw new InvalidOperationException($"A fetch outcome of an unknown kind: {outcome}"),
    };

    private TimeSpan Freshness(TimeSpan? maxAge)
    {
        var wished = maxAge ?? _options.DefaultFreshness;
        return wished < _options.MinFreshness ? _options.MinFreshness : wished > _options.MaxFreshness ? _options.MaxFreshness : wished;
    }
}
