using Dcr.Clients;
using Dcr.Registration;
using Microsoft.Extensions.Caching.Memory;

namespace Dcr.Keys;

/// <param name="Set">Null when the keys cannot be had.</param>
/// <param name="Fault">Why not; for the log.</param>
internal readonly record struct FoundKeys(ClientKeySet? Set, string Fault);

/// <summary>
/// The keys of a client: inline <c>jwks</c>, imported once per version of the client and kept (importing an EC key
/// costs more than verifying with it), or those of its <c>jwks_uri</c>, kept by document (<see cref="JwksCache"/>).
/// </summary>
internal sealed class ClientKeys(JwksCache cache, HostedKeySets hosted) : IDisposable
{
    private const int MaxKeysKept = 20_000;

    private readonly MemoryCache _imported = new(new MemoryCacheOptions { SizeLimit = MaxKeysKept });

    /// <summary>The key that <paramref name="kid"/> and <paramref name="alg"/> pick, or why there is none.</summary>
    public async ValueTask<FoundKey> SelectAsync(Client client, string? kid, string alg, CancellationToken cancellationToken)
    {
        return client.Metadata.JwksUri is { } uri ? await SelectAsync(uri, kid, alg, cancellationToken) : Select(FindInline(client), kid, alg);
    }

    /// <summary>The same for somebody whose signature a policy trusts.</summary>
    public async ValueTask<FoundKey> SelectAsync(ITrustedIssuer issuer, string? kid, string alg, CancellationToken cancellationToken) =>
        issuer.JwksUri is { } uri ? await SelectAsync(uri, kid, alg, cancellationToken) : Select(FindInline(issuer), kid, alg);

    private async ValueTask<FoundKey> SelectAsync(string uri, string? kid, string alg, CancellationToken cancellationToken)
    {
        if (hosted.IdOf(uri) is { } id)
        {
            return Select(await hosted.FindAsync(id, cancellationToken), kid, alg);
        }
        var known = await cache.FindAsync(uri, cancellationToken);
        var found = Select(known, kid, alg);
        // OpenID Connect Core section 10.1.1: the key may have been published since.
        return found.Key is null && known.Set is not null && await cache.FindNewerAsync(uri, known.Set, cancellationToken) is { } newer
            ? Select(newer, kid, alg)
            : found;
    }

    /// <summary>All keys of the client that can be had.</summary>
    public async ValueTask<FoundKeys> FindAsync(Client client, CancellationToken cancellationToken)
    {
        if (client.Metadata.JwksUri is not { } uri)
        {
            return FindInline(client);
        }
        return hosted.IdOf(uri) is { } id ? await hosted.FindAsync(id, cancellationToken) : await cache.FindAsync(uri, cancellationToken);
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
    public async Task<FoundKeys> FetchAsync(string uri, CancellationToken cancellationToken) =>
        hosted.IdOf(uri) is { } id ? await hosted.FindAsync(id, cancellationToken) : await cache.FetchAsync(uri, cancellationToken);

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
        if (_imported.TryGetValue(key, out ClientKeySet? kept) && kept is not null)
        {
            return new FoundKeys(kept, "");
        }
        var read = ClientKeySet.ReadForRegistration(jwks);
        if (!read.IsSuccess)
        {
            return new FoundKeys(null, $"jwks: {read.Error.Description}");
        }
        _imported.Set(key, read.Value, new MemoryCacheEntryOptions { Size = read.Value.Keys.Count });
        return new FoundKeys(read.Value, "");
    }

    private static FoundKey Select(FoundKeys found, string? kid, string alg)
    {
        if (found.Set is not { } set)
        {
            return new FoundKey(null, found.Fault);
        }
        return set.Select(kid, alg) switch
        {
            KeySelection.Found selection => new FoundKey(selection.Key, ""),
            KeySelection.UnknownKid => new FoundKey(null, $"no key of the client has kid {kid}"),
            KeySelection.Ambiguous => new FoundKey(null, $"there is no kid and more than one key fits {alg}"),
            _ => new FoundKey(null, $"no key of the client fits {alg}"),
        };
    }

    public void Dispose() => _imported.Dispose();
}

/// <param name="Key">Null when there is none to verify with.</param>
/// <param name="Fault">Why not; for the log.</param>
internal readonly record struct FoundKey(ClientKey? Key, string Fault);
