using System.Net;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>A phone in the quickstart: one of millions, with a key of its own that never leaves it.</summary>
internal sealed class QuickstartPhone(DcrClient server, Narration narration) : IDisposable
{
    private static readonly ClientMetadata s_metadata = new() { ClientName = "Quickstart phone", Scope = "read" };

    private readonly ClientKey _key = ClientKey.Generate();
    private readonly ClientRegistration _registration = server.RegistrationIn(new MemoryRegistrationStore());

    /// <summary>Null: not registered.</summary>
    public string? ClientId { get; private set; }

    /// <param name="app">The app, which is the same in every phone, and the key of its backend.</param>
    /// <param name="attester">The name of the backend.</param>
    public async Task RegisterAsync(ClientCredentials app, string attester, CancellationToken cancellationToken)
    {
        narration.Now(
            "phone",
            "The phone makes a key. The app's backend makes sure of the phone, and vouches for the key: an attestation. It takes no part "
                + "in what follows.");
        var attestation = await ClientAttestation.CreateAsync(
            attester, app.Key, app.ClientId, _key.PublicJwk, cancellationToken: cancellationToken);
        narration.Now("phone", "The phone gets an initial access token: by the attestation, and a proof that it holds the key (DPoP).");
        var initial = await server.GetInitialAccessTokenAsync(attestation, _key, cancellationToken);

        narration.Now("thief", "A thief who has stolen the token tries to register another key with it.");
        using var thief = ClientKey.Generate();
        await narration.ShownByRefusalAsync(
            () =>
                server.RegistrationIn(new MemoryRegistrationStore()).RegisterAsync(
                    new InitialAccessToken(initial.Value, boundTo: thief), s_metadata, thief, cancellationToken),
            refusal => refusal.StatusCode == HttpStatusCode.Unauthorized,
            "The token is of no use without the key in the phone.");

        narration.Now("phone", "The phone registers its key with it.");
        ClientId = (await _registration.RegisterAsync(initial, s_metadata, _key, cancellationToken)).ClientId;
        narration.Shown(
            true, $"The phone is the client {ClientId} now, like no other phone. It needs neither token nor backend from here on.");

        narration.Now("phone", "The phone signs an assertion and gets an access token for APIs.");
        var token = await GetTokenAsync(cancellationToken);
        narration.Shown(token.Scope == "read", $"The phone has an access token for the scope {token.Scope}.");
    }

    public async Task GoOnAsync(CancellationToken cancellationToken)
    {
        narration.Now("phone", "The phone asks for another access token.");
        await GetTokenAsync(cancellationToken);
        narration.Shown(true, "The phone still works.");

        narration.Now("phone", "The phone reads its registration.");
        var client = await _registration.ReadAsync(cancellationToken);
        narration.Shown(
            client.ClientId == ClientId && client.Metadata.Jwks?.Keys.Single().Thumbprint() == _key.PublicJwk.Thumbprint(),
            "It is as it was registered, with the phone's own key.");
    }

    /// <summary>Ends its registration, if there is one.</summary>
    public async Task DeleteAsync(CancellationToken cancellationToken)
    {
        if (await _registration.FindClientIdAsync(cancellationToken) is not null)
        {
            await _registration.DeleteAsync(cancellationToken: cancellationToken);
        }
    }

    public Task<AccessToken> GetTokenAsync(CancellationToken cancellationToken) =>
        server.AccessTokensFor(new ClientCredentials(ClientId!, _key)).GetAsync("read", cancellationToken: cancellationToken);

    public void Dispose() => _key.Dispose();
}
