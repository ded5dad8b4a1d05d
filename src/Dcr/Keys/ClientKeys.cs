using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using Microsoft.Extensions.Caching.Memory;

namespace Dcr.Keys;

/// <param name="Set">Null when the keys cannot be had.</param>
/// <param name="Fault">Why not; for the log.</param>
/// <param name="Hosted">The hosted set they are of. Null: they come from elsewhere.</param>
internal readonly record struct FoundKeys(ClientKeySet? Set, string Fault, HostedKeySet? Hosted = null)
{
    /// <summary>The downloads of the URL that had begun when the keys were asked for.</summary>
    public long Asked { get; init; }

    /// <summary>Why not, for strangers. Null: the fault is safe for them.</summary>
    public string? PublicFault { get; init; }
}

/// <summary>
/// The keys of a client: inline <c>jwks</c>, read once per version of the client and kept, or those of its <c>jwks_uri</c>,
/// kept by document (<see cref="JwksCache"/>).
/// </summary>
internal sealed class ClientKeys(JwksCache cache, HostedKeySets hosted, DownloadBudget budget, TimeProvider time) : IDisposable
{
    private const long MaxBytesKept = 96 * 1024 * 1024;

    // What an entry costs beside its keys.
    private const int Overhead = 512;

    private readonly MemoryCache _kept = new(new MemoryCacheOptions { SizeLimit = MaxBytesKept });

    /// <summary>The key that <paramref name="kid"/> and <paramref name="alg"/> pick, or why there is none.</summary>
    public ValueTask<FoundKey> SelectAsync(Client client, string? kid, string alg, CancellationToken cancellationToken)
    {
        var wanted = new WantedKey("the client", kid, alg);
        return client.Metadata.JwksUri is { } uri
            ? SelectAsync(uri, wanted, FetchCaller.Of(client), cancellationToken)
            : new(SelectInline(FindInline(client), wanted));
    }

    /// <summary>The same for somebody whose signature a policy trusts.</summary>
    public ValueTask<FoundKey> SelectAsync(ITrustedIssuer issuer, string? kid, string alg, CancellationToken cancellationToken)
    {
        var wanted = new WantedKey(issuer.Issuer, kid, alg);
        return issuer.JwksUri is { } uri
            ? SelectAsync(uri, wanted, FetchCaller.OfIssuer(issuer.Issuer), cancellationToken)
            : new(SelectInline(FindInline(issuer), wanted));
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
        if (await cache.FindNewerAsync(uri, keys, caller, cancellationToken) is not { } newer)
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

    /// <summary>All keys of the client that can be had.</summary>
    public async ValueTask<FoundKeys> FindAsync(Client client, CancellationToken cancellationToken)
    {
        if (client.Metadata.JwksUri is not { } uri)
        {
            return FindInline(client);
        }
        return hosted.IdOf(uri) is { } id ? await hosted.FindAsync(id, cancellationToken) : await FindAtAsync(uri, FetchCaller.Of(client), cancellationToken);
    }

    // A set of this server under another spelling of its URL would be read from outside, its stages forgotten.
    private ValueTask<FoundKeys> FindAtAsync(string uri, FetchCaller caller, CancellationToken cancellationToken) =>
        hosted.IsHere(uri) ? new(new FoundKeys(null, HostedKeySets.WrongSpelling)) : cache.FindAsync(uri, caller, cancellationToken);

    private void Import(ClientKey key, string uri)
    {
        if (key.Import())
        {
            cache.Recharge(uri);
        }
    }

    /// <summary>Thumbprints of the client's keys as far as they are known without a download, for the audit trail. Null: not known.</summary>
    public async ValueTask<string?> DescribeAsync(Client client, CancellationToken cancellationToken)
    {
        var set = client.Metadata.JwksUri is { } uri && hosted.IdOf(uri) is null
            ? cache.Peek(uri)?.Keys
            : (await FindAsync(client, cancellationToken)).Set;
        return set is null ? null : Describe(set);
    }

    public static string Describe(ClientKeySet set) => string.Join(' ', set.Keys.Select(key => key.Thumbprint));

    /// <summary>The keys of a <c>jwks_uri</c> that is to be registered: it must work at this moment.</summary>
    public async Task<Result<ClientKeySet>> FetchAsync(string uri, FetchCaller caller, CancellationToken cancellationToken)
    {
        if (hosted.IdOf(uri) is null && !budget.TryTake(caller))
        {
            return OAuthError.InvalidToken($"The initial access token has caused {caller.MaxDownloads} downloads of a jwks_uri, which is all that it may. Ask for a new one.");
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

    private FoundKeys FindInline(Client client)
    {
        if (client.Metadata.Jwks is not { } jwks)
        {
            return new FoundKeys(null, "the client has neither jwks nor jwks_uri");
        }
        // The time of creation tells apart a client that was deleted and added again under its old id.
        return FindInline(jwks, (client.ClientId, client.Version, client.CreatedAt));
    }

    // Policies are read from the store with each request: their keys are known by their text.
    private FoundKeys FindInline(ITrustedIssuer issuer) => issuer.Jwks is { } jwks
        ? FindInline(jwks, string.Concat(jwks.Keys.Select(key => key.GetRawText())))
        : new FoundKeys(null, "the issuer has neither jwks nor jwks_uri");

    private FoundKeys FindInline(JwkSet jwks, object key)
    {
        if (_kept.TryGetValue(key, out ClientKeySet? kept) && kept is not null)
        {
            return new FoundKeys(kept, "");
        }
        var read = ClientKeySet.ReadRegistered(jwks);
        if (!read.IsSuccess)
        {
            return new FoundKeys(null, $"jwks: {read.Error.Description}");
        }
        // As if all were imported: they are registered to be used, and few.
        _kept.Set(key, read.Value, new MemoryCacheEntryOptions { Size = Overhead + read.Value.CostWhenImported });
        return new FoundKeys(read.Value, "");
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
        return selection is KeySelection.Found found ? new FoundKey(found.Key, "") : new FoundKey(null, KeyFaults.Of(selection, set, wanted));
    }

    public void Dispose() => _kept.Dispose();
}

/// <param name="Key">Null when there is none to verify with.</param>
/// <param name="Fault">Why not; for the log.</param>
internal readonly record struct FoundKey(ClientKey? Key, string Fault)
{
    public FoundKey Because(string more) => this with { Fault = $"{Fault.TrimEnd('.')}; {more}" };
}
