using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>The whole product in seven steps: an administrator, a partner with a URL of its own, and a phone.</summary>
internal sealed class QuickstartStory(DcrClient server, AdminApi admin, Terminal terminal, Narration narration, TimeProvider time)
    : IAsyncDisposable
{
    // The backend of an app; nothing is looked for there.
    private const string Attester = "https://app.example";

    private static readonly TimeSpan s_clearingMayTake = TimeSpan.FromSeconds(10);

    private readonly TemporaryOnboardingClient _directory = new(admin, "quickstart-directory", time);
    private readonly TemporaryOnboardingClient _app = new(admin, "quickstart-app", time);
    private readonly QuickstartPartner _partner = new(server, narration);
    private readonly QuickstartPhone _phone = new(server, narration);

    /// <summary>Who took part.</summary>
    public JsonObject Clients => new()
    {
        ["directory"] = _directory.ClientId,
        ["app"] = _app.ClientId,
        ["partner"] = _partner.ClientId,
        ["phone"] = _phone.ClientId,
    };

    /// <summary>What became of each, for people.</summary>
    public JsonArray Summary =>
    [
        Took("directory", "let in by the administrator", "a key of its own", "let go", _directory.ClientId),
        Took("partner", "by the directory's token", "at its URL, renewed; the first is blocked", "revoked", _partner.ClientId),
        Took("app", "let in by the administrator", "its backend's, which attests phones", "let go", _app.ClientId),
        Took("phone", "by attestation and DPoP", "made on the phone, never left it", "ended itself", _phone.ClientId),
    ];

    /// <summary>From the beginning to the end; whatever happens on the way, what was made at the server is cleared away.</summary>
    public async Task TellAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Who may not do this is refused here, which breaks no promise.
            await LetInAsync(cancellationToken);
            await GoThroughAsync(cancellationToken);
        }
        catch
        {
            await ClearAwayAfterFailureAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _partner.DisposeAsync();
        _phone.Dispose();
        _directory.Dispose();
        _app.Dispose();
    }

    private async Task GoThroughAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RegisterPartnerAsync(cancellationToken);
            await RegisterPhoneAsync(cancellationToken);
            await RenewKeyAsync(cancellationToken);
            await StopPartnerAsync(cancellationToken);
            await GoOnWithPhoneAsync(cancellationToken);
            await ClearAwayAsync(cancellationToken);
        }
        catch (DcrException refusal) when ((int)refusal.StatusCode < 500)
        {
            throw narration.Broken($"the server refused: {refusal.Message}");
        }
    }

    private Task LetInAsync(CancellationToken cancellationToken) => narration.StepAsync(
        "The administrator lets two parties in",
        "Nobody registers unannounced: a party that the server trusts vouches for each newcomer, within a policy that says what it may "
            + "register. "
            + "Every client proves itself with a JWT that it signs (client assertion, RFC 7523); there is no shared secret that could "
                + "leak.",
        async () =>
        {
            narration.Now(
                "administrator",
                "The administrator looks where everything is (RFC 8414), gets a token for the admin API, and lets a partner directory in: "
                    + "its clients have their keys at a URL.");
            var directory = await _directory.LetInAsync(
                "Quickstart directory", Policy("jwks_uri", new JsonObject { ["uses"] = 1 }), cancellationToken);
            narration.Now(
                "administrator",
                "The administrator lets an app in: its backend vouches for each phone, and each token is bound to the key of one phone.");
            var app = await _app.LetInAttestedAsync(
                "Quickstart app", Attester, Policy("jwks", new JsonObject { ["uses"] = 1, ["bound_to_key"] = true }), cancellationToken);
            narration.Shown(
                new[] { directory, app }.All(MayRegisterRead),
                $"{_directory.ClientId} and {_app.ClientId} may register clients with the scope read, and nothing else.");
        });

    private Task RegisterPartnerAsync(CancellationToken cancellationToken) => narration.StepAsync(
        "A partner registers, with keys at a URL of its own",
        "The directory gets the right to register one client, an initial access token, and hands it over; the partner registers the URL "
            + "of its public keys, its jwks_uri (RFC 7591). "
            + "The server downloads them from there, now and whenever they change.",
        () => _partner.RegisterAsync(_directory.Credentials, cancellationToken));

    private Task RegisterPhoneAsync(CancellationToken cancellationToken) => narration.StepAsync(
        "A phone registers, with a key that never leaves it",
        "What is in every copy of an app is no secret, so each phone makes a key and becomes a client of its own. The app's backend "
            + "vouches for the key "
            + "(draft-ietf-oauth-attestation-based-client-auth); the initial access token is bound to it (DPoP, RFC 9449) and registers "
                + "it, and no other.",
        () => _phone.RegisterAsync(_app.Credentials, Attester, cancellationToken));

    private Task RenewKeyAsync(CancellationToken cancellationToken) => narration.StepAsync(
        "The partner renews its key, and nothing stands still",
        "Keys are served side by side in one JWK Set (RFC 7517) and told apart by their kid. Nobody has to be told of a new one, and the "
            + "old one lasts as long as it is served.",
        () => _partner.RenewKeyAsync(admin, cancellationToken));

    private Task StopPartnerAsync(CancellationToken cancellationToken) => narration.StepAsync(
        "The administrator stops the partner",
        "One client out of millions, by its client_id, and the very next request counts. Its origin is on record, so that everything from "
            + "one source could be stopped as well.",
        async () =>
        {
            narration.Now("administrator", "The administrator revokes the partner.");
            var stopped = await admin.PostAsync($"clients/{_partner.ClientId}/revoke", body: null, cancellationToken);
            narration.Shown(
                (string?)stopped["origin"]?["onboarding_client"] == _directory.ClientId,
                $"The server knows who brought it in: {_directory.ClientId}.");
            narration.Shown((string?)stopped["status"] == "revoked", "The partner is revoked.");

            narration.Now("partner", "The partner asks for an access token, with the key that worked a moment ago.");
            await narration.ShownByRefusalAsync(
                () =>
                    _partner.GetTokenAsync(cancellationToken), refusal =>
                        refusal.Error == "invalid_client",
                        "It is refused at once (RFC 6749 section 5.2), and is told no more than a stranger.");
        });

    private Task GoOnWithPhoneAsync(CancellationToken cancellationToken) => narration.StepAsync(
        "The phone has noticed nothing",
        "Each client stands for itself: to stop one touches no other. The phone looks after its own registration with its registration "
            + "access token (RFC 7592).",
        () => _phone.GoOnAsync(cancellationToken));

    private Task ClearAwayAsync(CancellationToken cancellationToken) => narration.StepAsync(
        "All is cleared away",
        "A client can end itself (RFC 7592 section 2.3), and its keys and tokens end with it. The partner stays in the server's records "
            + "as revoked, and all of this in the audit trail.",
        async () =>
        {
            narration.Now("phone", "The phone ends its registration, and tries to get a token all the same.");
            await _phone.DeleteAsync(cancellationToken);
            await narration.ShownByRefusalAsync(
                () => _phone.GetTokenAsync(cancellationToken),
                refusal => refusal.Error == "invalid_client",
                "The phone's client is no more.");

            narration.Now(
                "administrator", "The administrator lets the directory and the app go, and looks whether a client of theirs is active.");
            foreach (var onboarding in new[] { _directory, _app })
            {
                await onboarding.DeleteAsync(cancellationToken);
                var active = await admin.GetAsync($"clients?onboarding_client={onboarding.ClientId}&status=active", cancellationToken);
                narration.Shown(
                    active["items"]?.AsArray().Count == 0, $"{onboarding.ClientId} is gone, and nothing that came by it is active.");
            }
        });

    /// <summary>Best effort, also after Ctrl+C; what stays is named.</summary>
    private async Task ClearAwayAfterFailureAsync()
    {
        using var limit = new CancellationTokenSource(s_clearingMayTake);
        narration.Now("administrator", "It ends here. What was made at the server is cleared away.");
        foreach (var onboarding in new[] { _directory, _app }.Where(onboarding => onboarding.MayBeThere))
        {
            try
            {
                await onboarding.DeleteAsync(limit.Token);
                await onboarding.RevokeClientsAsync(progress: null, limit.Token);
                terminal.Note($"Cleared away: {onboarding.ClientId} and every client that came by it.");
            }
            catch (Exception exception) when (exception is DcrException or HttpRequestException or OperationCanceledException)
            {
                terminal.Warn($"{onboarding.ClientId}, or a client that came by it, is still at the server: {exception.Message}");
            }
        }
    }

    private static JsonObject Took(string who, string cameIn, string key, string became, string? clientId) =>
        new() { ["who"] = who, ["came in"] = cameIn, ["key"] = key, ["became"] = became, ["client_id"] = clientId };

    private static bool MayRegisterRead(JsonObject onboarding) =>
        onboarding["registration_policy"]?["scope"]?["allowed"] is JsonArray { Count: 1 } allowed && (string?)allowed[0] == "read";

    private static JsonObject Policy(string keys, JsonObject initialAccessToken) => new()
    {
        ["initial_access_token"] = initialAccessToken,
        ["keys"] = keys,
        ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read"), ["default"] = new JsonArray("read") },
    };
}
