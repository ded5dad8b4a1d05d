using Dcr.Jose;
using Dcr.Protocol;
using Microsoft.Extensions.Caching.Memory;

namespace Dcr.Keys;

/// <summary>
/// Resolves a <c>jwks_uri</c> that points to this server without leaving the process: always the set as it is stored now.
/// </summary>
internal sealed class HostedKeySets(IKeySetStore store, IssuerUrls urls, TimeProvider time) : IDisposable
{
    public const string WrongSpelling = "at this server's own address there are hosted key sets only, each under the jwks_uri that it was "
        + "made with, spelled exactly so.";

    private const long MaxBytesKept = 32 * 1024 * 1024;

    // What an entry costs beside its keys.
    private const int Overhead = 512;

    private readonly MemoryCache _kept = new(new MemoryCacheOptions { SizeLimit = MaxBytesKept });

    /// <summary>Null: the URI is not that of a hosted set, letter for letter.</summary>
    public string? IdOf(string uri) => urls.HostedKeySetId(uri);

    /// <summary>Whether a URI leads to this server, however it is spelled.</summary>
    public bool IsHere(string uri) => urls.IsHere(uri);

    public Task<FoundKeys> FindAsync(string id, CancellationToken cancellationToken) =>
        FindAsync(id, (key, now) => key.IsUsable(now), cancellationToken);

    /// <summary>Those that are active, without those that retire.</summary>
    public Task<FoundKeys> FindActiveAsync(string id, CancellationToken cancellationToken) =>
        FindAsync(id, (key, now) => key.StateAt(now) == HostedKeyState.Active, cancellationToken);

    private async Task<FoundKeys> FindAsync(string id, Func<HostedKey, DateTimeOffset, bool> wanted, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(id, cancellationToken) is not { } set)
        {
            return new FoundKeys(null, "there is no such hosted key set.");
        }
        var now = time.GetUtcNow();
        var usable = set.Keys.Where(key => wanted(key, now)).Select(key => key.Kid).ToHashSet(StringComparer.Ordinal);
        var keys = Imported(set).Where(key => usable.Contains(key.Kid!)).ToList();
        return keys.Count > 0
            ? new FoundKeys(PublicKeySet.Of(keys), "", set)
            : new FoundKeys(null, "the hosted key set has no active key.", set);
    }

    public void Dispose() => _kept.Dispose();

    private IReadOnlyList<PublicKey> Imported(HostedKeySet set)
    {
        var version = (set.Id, set.Version);
        if (_kept.TryGetValue(version, out IReadOnlyList<PublicKey>? kept) && kept is not null)
        {
            return kept;
        }
        var jwks = set.Keys.Where(key => key.Jwk is not null).Select(key => PublicKeyReader.Read(key.Jwk!.Value));
        IReadOnlyList<PublicKey> imported = [.. jwks.OfType<ReadKey.Usable>().Select(usable => usable.Key)];
        _kept.Set(version, imported, new MemoryCacheEntryOptions { Size = Overhead + imported.Sum(key => key.CostWhenImported) });
        return imported;
    }
}
