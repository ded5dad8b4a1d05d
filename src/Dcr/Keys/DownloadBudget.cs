using Microsoft.Extensions.Caching.Memory;

namespace Dcr.Keys;

/// <summary>
/// How many downloads one party may cause in all, on this node, registrations that are only tried out included: whoever holds an
/// initial access token must not be able to have URLs called without end.
/// </summary>
internal sealed class DownloadBudget : IDisposable
{
    /// <summary>For an initial access token, beside one for each of its uses.</summary>
    public const int Spare = 10;

    private const int MaxParties = 100_000;

    // The least used are forgotten first. A token lives shorter than a hundred thousand others take.
    private readonly MemoryCache _spent = new(new MemoryCacheOptions { SizeLimit = MaxParties });
    private readonly Lock _lock = new();

    /// <summary>False: they are used up.</summary>
    public bool TryTake(FetchCaller caller)
    {
        if (caller.MaxDownloads is not { } most)
        {
            return true;
        }
        lock (_lock)
        {
            var spent = _spent.TryGetValue(caller.Party, out int known) ? known : 0;
            if (spent >= most)
            {
                return false;
            }
            _spent.Set(caller.Party, spent + 1, new MemoryCacheEntryOptions { Size = 1 });
            return true;
        }
    }

    public void Dispose() => _spent.Dispose();
}
