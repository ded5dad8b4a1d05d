using Dcr.Keys;

namespace Dcr.Clients;

/// <summary>Clients, and those whose signature a policy trusts, as owners of keys.</summary>
internal static class KeyOwners
{
    public static KeyOwner AsKeyOwner(this Client client) => client.Metadata.JwksUri is { } uri
        ? new KeyOwner("the client", Jwks: null, uri, CacheKey: null, CallerOf(client))
        // The time of creation tells apart a client that was deleted and added again under its old id.
        : new KeyOwner(
            "the client", client.Metadata.Jwks, JwksUri: null, (client.ClientId, client.Version, client.CreatedAt), Caller: null);

    // Policies are read from the store with each request: their keys are known by their text.
    public static KeyOwner AsKeyOwner(this ITrustedIssuer issuer) => issuer.JwksUri is { } uri
        ? new KeyOwner(issuer.Issuer, Jwks: null, uri, CacheKey: null, FetchCaller.OfIssuer(issuer.Issuer))
        : new KeyOwner(
            issuer.Issuer,
            issuer.Jwks,
            JwksUri: null,
            string.Concat((issuer.Jwks?.Keys ?? []).Select(key => key.GetRawText())),
            Caller: null);

    /// <summary>A client that moves to another URL.</summary>
    public static FetchCaller AsMovingCaller(this Client client) => CallerOf(client) with { Room = FetchRoom.Newcomer };

    private static FetchCaller CallerOf(Client client) =>
        new(FetchRoom.Registered, client.Origin?.OnboardingClient ?? client.ClientId, $"client {client.ClientId}");
}
