using Dcr.Clients;
using Dcr.Keys;
using Dcr.SigningKeys;

namespace Dcr.AccessTokens;

/// <summary>An access token that is good at this moment, and its client as the store has it now.</summary>
internal sealed record LiveAccessToken(AccessToken Token, Client Client);

/// <summary>
/// What makes an access token live: issued here, in time, not revoked, and its client is active and has not been signed out since.
/// Nothing of it is cached, so a token dies with its client on the very next request.
/// </summary>
internal sealed class LiveAccessTokens(
    AccessTokenReader reader,
    ServerKeys keys,
    IClientStore clients,
    IRevokedTokenStore revoked,
    IQuarantinedKeyStore quarantine,
    TimeProvider time)
{
    /// <returns>Null, with the reason for the log, when it is not live.</returns>
    public async Task<(LiveAccessToken? Live, string Fault)> FindAsync(string text, CancellationToken cancellationToken)
    {
        var (token, fault) = await reader.ReadAsync(text, cancellationToken);
        return token is null ? (null, fault) : await JudgeAsync(token, cancellationToken);
    }

    /// <summary>Of a token that was found genuine before: whether it is live now.</summary>
    public async Task<(LiveAccessToken? Live, string Fault)> JudgeAsync(AccessToken token, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (token.ExpiresAt <= now)
        {
            return (null, "it has expired");
        }
        if ((await keys.RingAsync(cancellationToken)).Published(now).All(key => key.Key.Kid != token.SigningKid))
        {
            return (null, $"the key {token.SigningKid}, which signed it, is not trusted any more");
        }
        if (await clients.FindAsync(token.ClientId, cancellationToken) is not { } client || !client.IsActiveAt(time.GetUtcNow()))
        {
            return (null, $"client {token.ClientId} is not active");
        }
        if (token.StatusIndex != client.StatusIndex)
        {
            return (null, $"client {token.ClientId} has been signed out since");
        }
        if (token.Thumbprint is { } thumbprint && client.QuarantinedKeys.Contains(thumbprint))
        {
            return (null, $"client {token.ClientId} asked for it with key {thumbprint}, which is quarantined");
        }
        // Both at once: neither waits for the other.
        var held = HoldsAsync(token, cancellationToken);
        var isRevoked = revoked.IsRevokedAsync(token.Jti, cancellationToken);
        await Task.WhenAll(held, isRevoked);
        if (await held)
        {
            return (null, $"client {token.ClientId} has it by a key that is in quarantine on the whole server");
        }
        return await isRevoked ? (null, $"client {token.ClientId} revoked it") : (new LiveAccessToken(token, client), "");
    }

    /// <summary>A token for an API says nothing of the key it was asked for with, unless it is bound to one.</summary>
    private async Task<bool> HoldsAsync(AccessToken token, CancellationToken cancellationToken)
    {
        List<string> provers = [.. new[] { token.Thumbprint, token.BoundTo }.OfType<string>().Distinct()];
        return provers.Count > 0 && (await quarantine.FilterAsync(provers, cancellationToken)).Count > 0;
    }
}
