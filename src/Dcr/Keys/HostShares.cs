namespace Dcr.Keys;

/// <summary>
/// How many downloads may be under way: a few for each host, so that a slow one holds only its own callers, and a
/// bounded number in all. Keeps nothing for hosts that none are under way for.
/// </summary>
internal sealed class HostShares
{
    public const int PerHost = 4;

    private const int InAll = 256;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _underWay = new(StringComparer.OrdinalIgnoreCase);
    private int _total;

    /// <summary>Null when the host, or the whole, has its share already. To be disposed when the download ends.</summary>
    public IDisposable? TryTake(string host)
    {
        lock (_lock)
        {
            var count = _underWay.GetValueOrDefault(host);
            if (count >= PerHost || _total >= InAll)
            {
                return null;
            }
            _underWay[host] = count + 1;
            _total++;
            return new Share(this, host);
        }
    }

    private void Give(string host)
    {
        lock (_lock)
        {
            _total--;
            if (--_underWay[host] == 0)
            {
                _underWay.Remove(host);
            }
        }
    }

    private sealed class Share(HostShares shares, string host) : IDisposable
    {
        public void Dispose() => shares.Give(host);
    }
}
