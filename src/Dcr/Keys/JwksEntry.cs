namespace Dcr.Keys;

/// <summary>One URI in the cache: what is known of its document, and the downloads that are under way, one at most for each room.</summary>
internal sealed class JwksEntry(string uri, UnknownKidBudget unknownKids)
{
    private readonly Lock _lock = new();
    private readonly Task<CachedJwks>?[] _underWay = new Task<CachedJwks>?[2];
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

    public Task<CachedJwks>? UnderWay(FetchRoom room)
    {
        lock (_lock)
        {
            return _underWay[(int)room];
        }
    }

    /// <summary>However many ask in one room, one download is under way. It is given its number.</summary>
    public Task<CachedJwks> JoinOrStart(FetchRoom room, Func<long, Task<CachedJwks>> download)
    {
        lock (_lock)
        {
            return _underWay[(int)room] ??= RunAsync(room, download, ++_begun);
        }
    }

    /// <summary>What a download came to takes the place of what is known, unless a later one was faster.</summary>
    public CachedJwks Replace(long number, Func<CachedJwks, CachedJwks> next)
    {
        lock (_lock)
        {
            return _current.Number > number ? _current : _current = next(_current) with { Number = number };
        }
    }

    private async Task<CachedJwks> RunAsync(FetchRoom room, Func<long, Task<CachedJwks>> download, long number)
    {
        // Not before the lock around the start is left.
        await Task.Yield();
        try
        {
            return await Task.Run(() => download(number));
        }
        finally
        {
            lock (_lock)
            {
                _underWay[(int)room] = null;
            }
        }
    }
}
