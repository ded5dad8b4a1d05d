using Dcr.Clients;
using Dcr.Registration;
using Microsoft.Extensions.Caching.Memory;

namespace Dcr.Keys;

/// <param name="Set">Null when the keys cannot be had.</param>
/// <param name="Fault">Why not; for the log.</param>
/// <param name="Hosted">The hosted set they are of. Null: they come from elsewhere.</param>
internal readonly record struct FoundKeys(ClientKeySet? Set, string Fault, HostedKeySet? Hosted = null);

/// <summary>
/// The keys of a client: inline <c>jwks</c>, imported once per version of the client and kept (importing an EC key
/// costs more than verifying with it), or those of its <c>jwks_uri</c>, kept by document (<see cref="JwksCache"/>).
/// </summary>
internal sealed class ClientKeys(JwksCache cache, HostedKeySets hosted, TimeProvider time) : IDisposable
{
    private const int MaxKeysKept = 20_000;

    private readonly MemoryCache _imported = new(new MemoryCacheOptions { SizeLimit = MaxKeysKept });

    /// <summary>The key that <paramref name="kid"/> and <paramref name="alg"/> pick, or why there is none.</summary>
    public ValueTask<FoundKey> SelectAsync(Client client, string? kid, string alg, CancellationToken cancellationToken)
    {
        var wanted = new WantedKey("the client", kid, alg);
        return client.Metadata.JwksUri is { } uri ? SelectAsync(uri, wanted, cancellationToken) : new(SelectInline(FindInline(client), wanted));
    }

    /// <summary>The same for somebody whose signature a policy trusts.</summary>
    public ValueTask<FoundKey> SelectAsync(ITrustedIssuer issuer, string? kid, string alg, CancellationToken cancellationToken)
    {
        var wanted = new WantedKey(issuer.Issuer, kid, alg);
        return issuer.JwksUri is { } uri ? SelectAsync(uri, wanted, cancellationToken) : new(SelectInline(FindInline(issuer), wanted));
    }

    private async ValueTask<FoundKey> SelectAsync(string uri, WantedKey wanted, CancellationToken cancellationToken)
    {
        if (hosted.IdOf(uri) is { } id)
        {
            return SelectHosted(await hosted.FindAsync(id, cancellationToken), wanted);
        }
        var keys = await cache.FindAsync(uri, cancellationToken);
        var found = Select(keys, wanted);
        if (found.Key is not null || keys.Set is not { } seen)
        {
            return found.Key is not null ? found : found with { Fault = KeyFaults.Unavailable(uri, keys.Fault, cache.Peek(uri)) };
        }
        // OpenID Connect Core section 10.1.1: the key may have been published since.
        if (await cache.FindNewerAsync(uri, seen, cancellationToken) is not { } newer)
        {
            return found.Because(KeyFaults.Fetched(uri, seen, cache.Peek(uri))).Because(KeyFaults.NotAskedAgain(cache.UnknownKidCooldown));
        }
        found = Select(newer, wanted);
        return found.Key is not null ? found
            : newer.Set is { } set ? found.Because(KeyFaults.Fetched(uri, set, cache.Peek(uri)))
            : found with { Fault = KeyFaults.Unavailable(uri, newer.Fault, cache.Peek(uri)) };
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

    public void Dispose() => _imported.Dispose();
}

/// <param name="Key">Null when there is none to verify with.</param>
/// <param name="Fault">Why not; for the log.</param>
internal readonly record struct FoundKey(ClientKey? Key, string Fault)
{
    public FoundKey Because(string more) => this with { Fault = $"{Fault.TrimEnd('.')}; {more}" };
}
