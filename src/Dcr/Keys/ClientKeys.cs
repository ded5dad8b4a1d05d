using Dcr.Clients;
using Microsoft.Extensions.Caching.Memory;

namespace Dcr.Keys;

/// <param name="Set">Null when the keys cannot be had.</param>
/// <param name="Fault">Why not; for the log.</param>
internal readonly record struct FoundKeys(ClientKeySet? Set, string Fault);

/// <summary>
/// The keys of a client: inline <c>jwks</c>, imported once per version of the client and kept (importing an EC key
/// costs more than verifying with it), or downloaded from its <c>jwks_uri</c>.
/// </summary>
internal sealed class ClientKeys(JwksFetcher fetcher) : IDisposable
{
    private const int MaxKeysKept = 20_000;

    private readonly MemoryCache _imported = new(new MemoryCacheOptions { SizeLimit = MaxKeysKept });

    public async ValueTask<FoundKeys> FindAsync(Client client, CancellationToken cancellationToken)
    {
        if (client.Metadata.Jwks is { } jwks)
        {
            return FindImported(client, jwks);
        }
        if (client.Metadata.JwksUri is not { } uri)
        {
            return new FoundKeys(null, "the client has neither jwks nor jwks_uri");
        }
        return await fetcher.FetchAsync(new Uri(uri), cancellationToken) switch
        {
            JwksFetched fetched => new FoundKeys(fetched.Keys, ""),
            JwksFetchFailed failed => new FoundKeys(null, $"jwks_uri: {failed.Description}"),
            var other => throw new InvalidOperationException($"A fetch outcome of an unknown kind: {other}"),
        };
    }

    private FoundKeys FindImported(Client client, JwkSet jwks)
    {
        // The time of creation tells apart a client that was deleted and added again under its old id.
        var key = (client.ClientId, client.Version, client.CreatedAt);
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

    public void Dispose() => _imported.Dispose();
}
