using Dcr.Client;

namespace Dcr.Cli;

/// <summary>A business partner in the quickstart: keeps its keys at a URL of its own, and renews them there.</summary>
internal sealed class QuickstartPartner : IAsyncDisposable
{
    private const string HowToStart = "dotnet run --project src/Dcr.Server -- --Dcr:Jwks:AllowHttp true --Dcr:Jwks:AllowPrivateNetworks "
        + "true";

    private readonly DcrClient _server;
    private readonly Narration _narration;
    private readonly ClientKey _firstKey = ClientKey.Generate();
    private readonly ClientKey _nextKey = ClientKey.Generate();
    private readonly PublishedJwks _web;

    public QuickstartPartner(DcrClient server, Narration narration)
    {
        _server = server;
        _narration = narration;
        _web = PublishedJwks.Start(_firstKey.PublicJwkSet, narration.Downloaded);
    }

    /// <summary>Null: not registered.</summary>
    public string? ClientId { get; private set; }

    public async Task RegisterAsync(ClientCredentials directory, CancellationToken cancellationToken)
    {
        _narration.Now("directory", $"The directory proves itself and gets an initial access token, which it hands to the partner.");
        var initial = await _server.GetInitialAccessTokenAsync(directory, cancellationToken: cancellationToken);

        _narration.Now("partner", $"The partner has made a key and serves its public half at {_web.Url}. It registers that URL.");
        try
        {
            var client = await _server.RegistrationIn(new MemoryRegistrationStore()).RegisterAsync(
                initial, new ClientMetadata
                {
                    ClientName = "Quickstart partner",
                    Scope = "read",
                    JwksUri = _web.Url,
                }, cancellationToken: cancellationToken);
            ClientId = client.ClientId;
        }
        catch (DcrException refusal) when (refusal.Error == "invalid_client_metadata" && _web.Downloads == 0)
        {
            // It would not even come to this machine.
            throw CommandFailure.Usage(
                $"The partner's keys are at {_web.Url}, on this machine and without TLS; this server takes no such jwks_uri "
                    + $"({refusal.ErrorDescription}).",
                $"Start a server on this machine with two settings that are for development only: {HowToStart}");
        }
        _narration.Shown(
            _web.Downloads > 0,
            $"The partner is the client {ClientId} now; the server has downloaded its key, and nobody had to approve anything.");

        _narration.Now("partner", "The partner signs an assertion with its key and gets an access token for APIs.");
        var token = await GetTokenAsync(_firstKey, cancellationToken);
        _narration.Shown(token.Scope == "read", $"The partner has an access token for the scope {token.Scope}.");
    }

    /// <summary>From one key to the next, without a moment at which it cannot work.</summary>
    public async Task RenewKeyAsync(AdminApi admin, CancellationToken cancellationToken)
    {
        var before = _web.Downloads;
        _web.Publish(new PublicJwkSet(_firstKey.PublicJwk, _nextKey.PublicJwk));
        _narration.Now("partner", "The partner makes another key, serves old and new side by side, and signs with the new one at once.");
        await GetTokenAsync(_nextKey, cancellationToken);
        _narration.Shown(
            _web.Downloads > before,
            "The new key worked on its first use: the server met a kid it did not know, and downloaded the set again.");

        _narration.Now("partner", "A part of the partner that knows nothing of it yet goes on with the old key.");
        await GetTokenAsync(_firstKey, cancellationToken);
        _narration.Shown(true, "The old key still works.");

        _web.Publish(_nextKey.PublicJwkSet);
        _narration.Now(
            "administrator",
            "The partner withdraws the old key: it serves the new one only. The administrator looks how soon the server will know.");
        var keys = await admin.GetAsync($"clients/{ClientId}/keys", cancellationToken);
        var freshUntil = keys["items"]?[0]?["fresh_until"];
        _narration.Shown(
            freshUntil is not null,
            $"What the server knows of the URL is good until {Facts.TextOf(freshUntil)}; then it downloads the set again, and the old key "
                + "is refused.");

        _narration.Now("administrator", "If the old key has leaked that is too long. The administrator blocks this one key.");
        await admin.PostAsync($"clients/{ClientId}/keys/{_firstKey.PublicJwk.Thumbprint()}/quarantine", body: null, cancellationToken);
        _narration.Now("thief", "Somebody who has the old key tries it.");
        await _narration.ShownByRefusalAsync(
            () =>
                GetTokenAsync(_firstKey, cancellationToken), refusal =>
                    refusal.Error == "invalid_client", "The old key is refused at once, whatever its URL serves.");

        _narration.Now("partner", "The partner itself goes on with the new key.");
        await GetTokenAsync(_nextKey, cancellationToken);
        _narration.Shown(true, "The new key works.");
    }

    /// <summary>By the key that it uses in the end.</summary>
    public Task<AccessToken> GetTokenAsync(CancellationToken cancellationToken) => GetTokenAsync(_nextKey, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _web.DisposeAsync();
        _firstKey.Dispose();
        _nextKey.Dispose();
    }

    // A source of its own for each token, or one from before would be handed out again.
    private Task<AccessToken> GetTokenAsync(ClientKey key, CancellationToken cancellationToken) =>
        _server.AccessTokensFor(new ClientCredentials(ClientId!, key)).GetAsync("read", cancellationToken: cancellationToken);
}
