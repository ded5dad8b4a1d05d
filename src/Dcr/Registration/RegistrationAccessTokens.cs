using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>Whose a registration access token is at this moment. Nothing of it is cached.</summary>
internal sealed class RegistrationAccessTokens(IClientStore clients, TimeProvider time)
{
    /// <summary>RFC 7592 section 2: the good token of a client that is stopped for now.</summary>
    public static readonly OAuthError NotActive = OAuthError.AccessDenied(
        "The client is suspended, or has expired; an administrator can resume it.");

    /// <returns>Null: the client is unknown, deleted or revoked, or the token is not this client's.</returns>
    public async Task<Client?> FindAsync(string clientId, string token, CancellationToken cancellationToken) =>
        await clients.FindAsync(clientId, cancellationToken) is { RegistrationAccess: { } access, Status: not ClientStatus.Revoked } client
        && access.Accepts(OpaqueSecret.Hash(token), time.GetUtcNow())
            ? client
            : null;

    public bool IsActive(Client client) => client.IsActiveAt(time.GetUtcNow());
}
