using Dcr.Jose;
using Dcr.Protocol;
using Microsoft.Extensions.Caching.Memory;

namespace Dcr.Keys;

/// <param name="Set">Null when no keys are available.</param>
/// <param name="Fault">Why not; for the log.</param>
/// <param name="Hosted">The hosted set they are of. Null: they come from elsewhere.</param>
internal readonly record struct FoundKeys(PublicKeySet? Set, string Fault, HostedKeySet? Hosted = null)
{
    /// <summary>What is known of the URL they are from. Null: they come from elsewhere.</summary>
    public JwksEntry? Entry { get; init; }

    /// <summary>How many downloads of it had begun when the keys were asked for.</summary>
    public long Asked { get; init; }

    /// <summary>Why not, for strangers. Null: the fault is safe for them.</summary>
    public string? PublicFault { get; init; }
}

/// <summary>
/// The keys of an owner: inline <c>jwks</c>, read once per version of it and kept, or those of its <c>jwks_uri</c>,
/// kept by document (<see cref="JwksCache"/>).
/// </summary>
internal sealed class KeySelector(JwksCache cache, HostedKeySets hosted, DownloadBudget budget, TimeProvider time) : IDisposable
{
    private const long MaxBytesKept = 96 * 1024 * 1024;

    // What an entry costs beside its keys.
    private const int Overhead = 512;

    private readonly MemoryCache _kept = new(new MemoryCacheOptions { SizeLimit = MaxBytesKept });

    /// <summary>The key that <paramref name="kid"/> and <paramref name="alg"/> pick, or why there is none.</summary>
    public ValueTask<FoundKey> SelectAsync(KeyOwner owner, string? kid, string alg, CancellationToken cancellationToken)
    {
        var wanted = new WantedKey(owner.Name, kid, alg);
        return owner.JwksUri is { } uri
            ? SelectAsync(uri, wanted, owner.Caller!, cancellationToken)
            : new(SelectInline(FindInline(owner), wanted));
    }

    private async ValueTask<FoundKey> SelectAsync(string uri, WantedKey wanted, FetchCaller caller, CancellationToken cancellationToken)
    {
        if (hosted.IdOf(uri) is { } id)
        {
            return SelectHosted(await hosted.FindAsync(id, cancellationToken), wanted);
        }
        var keys = await FindAtAsync(uri, caller, cancellationToken);
        var found = Select(keys, wanted);
        if (found.Key is { } known)
        {
            Import(known, uri);
            return found;
        }
        if (keys.Set is not { } seen)
        {
            return found with { Fault = KeyFaults.Unavailable(uri, keys.Fault, cache.Peek(uri)) };
        }
        // OpenID Connect Core section 10.1.1: the key may have been published since.
        bool HasKey(PublicKeySet set) => set.Select(wanted.Kid, wanted.Alg) is KeySelection.Found;
        if (await cache.FindNewerAsync(uri, keys, HasKey, caller, cancellationToken) is not { } newer)
        {
            return found.Because(KeyFaults.Fetched(uri, seen, cache.Peek(uri))).Because(KeyFaults.NotAskedAgain(cache.UnknownKidCooldown));
        }
        found = Select(newer, wanted);
        if (found.Key is { } published)
        {
            Import(published, uri);
            return found;
        }
        return newer.Set is { } set
            ? found.Because(KeyFaults.Fetched(uri, set, cache.Peek(uri)))
            : found with { Fault = KeyFaults.Unavailable(uri, newer.Fault, cache.Peek(uri)) };
    }

    /// <summary>The owner's currently available keys.</summary>
    public async ValueTask<FoundKeys> FindAsync(KeyOwner owner, CancellationToken cancellationToken)
    {
        if (owner.JwksUri is not { } uri)
        {
            return FindInline(owner);
        }
        return hosted.IdOf(uri) is { } id
            ? await hosted.FindAsync(id, cancellationToken)
            : await FindAtAsync(uri, owner.Caller!, cancellationToken);
    }

    // A set of this server under another spelling of its URL would be read from outside, its stages forgotten.
    private ValueTask<FoundKeys> FindAtAsync(string uri, FetchCaller caller, CancellationToken cancellationToken) =>
        hosted.IsHere(uri) ? new(new FoundKeys(null, HostedKeySets.WrongSpelling)) : cache.FindAsync(uri, caller, cancellationToken);

    private void Import(PublicKey key, string uri)
    {
        if (key.Import())
        {
            cache.Recharge(uri);
        }
    }

    /// <summary>
    /// Thumbprints of the owner's keys as far as they are known without a download, for the audit trail. Null: not known.
    /// </summary>
    public async ValueTask<string?> DescribeAsync(KeyOwner owner, CancellationToken cancellationToken)
    {
        var set = owner.JwksUri is { } uri && hosted.IdOf(uri) is null
            ? cache.Peek(uri)?.Keys
            : (await FindAsync(owner, cancellationToken)).Set;
        return set is null ? null : Describe(set);
    }

    public static string Describe(PublicKeySet set) => string.Join(' ', set.Keys.Select(key => key.Thumbprint));

    /// <summary>The keys of a <c>jwks_uri</c> that is to be registered: it must work at this moment.</summary>
    public async Task<Result<PublicKeySet>> FetchAsync(string uri, FetchCaller caller, CancellationToken cancellationToken)
    {
        if (hosted.IdOf(uri) is null && !budget.TryTake(caller))
        {
            return OAuthError.InvalidToken(
                $"The initial access token has caused {caller.MaxDownloads} downloads of a jwks_uri, which is all that it may. Ask for a "
                    + "new one.");
        }
        var fetched = hosted.IdOf(uri) is { } own ? await hosted.FindAsync(own, cancellationToken)
            : hosted.IsHere(uri) ? new FoundKeys(null, HostedKeySets.WrongSpelling)
            : await cache.FetchAsync(uri, caller, cancellationToken);
        if (fetched.Set is not { } set)
        {
            return OAuthError.InvalidClientMetadata($"jwks_uri: {fetched.PublicFault ?? fetched.Fault}", fetched.Fault);
        }
        return set.DeepFault() is { } weak ? OAuthError.InvalidClientMetadata($"jwks_uri: the document: {weak}") : set;
    }

    private FoundKeys FindInline(KeyOwner owner)
    {
        if (owner is not { Jwks: { } jwks, CacheKey: { } key })
        {
            return new FoundKeys(null, $"{owner.Name} has neither jwks nor jwks_uri");
        }
        if (_kept.TryGetValue(key, out PublicKeySet? kept) && kept is not null)
        {
            return new FoundKeys(kept, "");
        }
        if (PublicKeySet.ReadRegistered(jwks, out var fault) is not { } read)
        {
            return new FoundKeys(null, $"jwks: {fault}");
        }
        // As if all were imported: they are registered to be used, and few.
        _kept.Set(key, read, new MemoryCacheEntryOptions { Size = Overhead + read.CostWhenImported });
        return new FoundKeys(read, "");
    }

    private FoundKey SelectHosted(FoundKeys keys, WantedKey wanted)
    {
        var found = Select(keys, wanted);
        return found.Key is null && keys.Hosted is { } set ? found.Because(KeyFaults.Hosted(set, time.GetUtcNow())) : found;
    }

    private static FoundKey SelectInline(FoundKeys keys, WantedKey wanted)
    {
        var found = Select(keys, wanted);
        return found.Key is null && keys.Set is { } set ? found.Because(KeyFaults.Inline(set)) : found;
    }

    private static FoundKey Select(FoundKeys keys, WantedKey wanted)
    {
        if (keys.Set is not { } set)
        {
            return new FoundKey(null, keys.Fault);
        }
        var selection = set.Select(wanted.Kid, wanted.Alg);
        return selection is KeySelection.Found found
            ? new FoundKey(found.Key, "")
            : new FoundKey(null, KeyFaults.Of(selection, set, wanted));
    }

    public void Dispose() => _kept.Dispose();
}

/// <param name="Key">Null when there is none to verify with.</param>
/// <param name="Fault">Why not; for the log.</param>
internal readonly record struct FoundKey(PublicKey? Key, string Fault)
{
    public FoundKey Because(string more) => this with { Fault = $"{Fault.TrimEnd('.')}; {more}" };
}
