using Dcr.Jose;

namespace Dcr.Keys;

/// <summary>
/// One URI in the cache: what is known of its document, and the downloads that are under way, one at most for each room. How old a document
/// may be and when its host is asked again is said by <see cref="CachedJwks"/>, of which there is one for both rooms (decision 0014).
/// </summary>
internal sealed class JwksEntry(string uri, UnknownKidBudget unknownKids, TimeProvider time)
{
    // Whoever comes to it wants a download, and has that of the room; the fetcher ends each in its own time.
    private static readonly SharedRefreshRules<Download> s_always = new()
    {
        FreshFor = static _ => TimeSpan.Zero,
        UsableFor = static _ => TimeSpan.Zero,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly Lock _lock = new();
    private readonly SharedRefresh<Download>[] _rooms = [NewRoom(time), NewRoom(time)];
    private long _begun;
    private volatile CachedJwks _current = new();

    public string Uri { get; } = uri;

    public UnknownKidBudget UnknownKids { get; } = unknownKids;

    public CachedJwks Current => _current;

    /// <summary>How many downloads have begun. One with a higher number is later than now.</summary>
    public long Begun
    {
        get
        {
            lock (_lock)
            {
                return _begun;
            }
        }
    }

    public Task? UnderWay(FetchRoom room) => _rooms[(int)room].UnderWay;

    /// <summary>
    /// However many ask in one room, one download is under way, and all share what it comes to. It is given its number before it begins.
    /// </summary>
    /// <param name="room">Of whoever asks.</param>
    /// <param name="download">As whoever begins it would.</param>
    /// <param name="cancellationToken">Ends this wait, and neither the download nor the wait of others.</param>
    public async Task JoinOrStartAsync(FetchRoom room, Func<long, Task> download, CancellationToken cancellationToken) =>
        await _rooms[(int)room].GetAsync(
        async (_, _) =>
        {
            var number = Begin();
            await Task.Run(() => download(number), CancellationToken.None);
            return new Download(number);
        },
        cancellationToken);

    /// <summary>What a download came to takes the place of what is known, unless a later one was faster.</summary>
    public CachedJwks Replace(long number, Func<CachedJwks, CachedJwks> next)
    {
        lock (_lock)
        {
            return _current.Number > number ? _current : _current = next(_current) with { Number = number };
        }
    }

    private long Begin()
    {
        lock (_lock)
        {
            return ++_begun;
        }
    }

    private static SharedRefresh<Download> NewRoom(TimeProvider time) =>
        new(static (_, _) => throw new InvalidOperationException("A download goes by who begins it."), s_always, time);

    /// <summary>What a room remembers of its downloads: nothing that takes memory.</summary>
    private sealed record Download(long Number);
}
