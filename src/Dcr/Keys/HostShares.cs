namespace Dcr.Keys;

/// <summary>
/// How many downloads may be under way from one host: a few, so that a slow host holds only its own callers. Others wait
/// their turn for as long as their own time lasts. Keeps nothing for hosts that nobody asks.
/// </summary>
internal sealed class HostShares
{
    public const int PerHost = 4;

    /// <summary>Under way and waiting together, for one host.</summary>
    private const int MaxAsking = 100;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Host> _hosts = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>To be disposed when the download ends. Null: too many wait for this host already.</summary>
    public async Task<IDisposable?> TakeAsync(string name, CancellationToken cancellationToken)
    {
        if (Ask(name) is not { } host)
        {
            return null;
        }
        try
        {
            await host.Turns.WaitAsync(cancellationToken);
            return new Share(this, name, host);
        }
        catch (OperationCanceledException)
        {
            Leave(name, host);
            throw;
        }
    }

    private Host? Ask(string name)
    {
        lock (_lock)
        {
            if (!_hosts.TryGetValue(name, out var host))
            {
                _hosts.Add(name, host = new Host());
            }
            if (host.Asking >= MaxAsking)
            {
                return null;
            }
            host.Asking++;
            return host;
        }
    }

    private void Leave(string name, Host host)
    {
        lock (_lock)
        {
            if (--host.Asking == 0)
            {
                _hosts.Remove(name);
                host.Turns.Dispose();
            }
        }
    }

    private sealed class Host
    {
        public int Asking { get; set; }

        public SemaphoreSlim Turns { get; } = new(PerHost, PerHost);
    }

    private sealed class Share(HostShares shares, string name, Host host) : IDisposable
    {
        public void Dispose()
        {
            host.Turns.Release();
            shares.Leave(name, host);
        }
    }
}
