using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Nobody registers a key it does not hold, and a client's keys are changed by whoever held them before.</summary>
public abstract class KeyPossessionTests(DcrServer server) : ServerTests(server)
{
    private const string NewKeyProof = "New-Key-Proof";

    private readonly TestKey _key = TestKey.Create();

    private Task<string> OnboardingClientAsync(string mode) => Server.DeviceOnboardingAsync(new JsonObject { ["proof_of_possession"] = mode });

    private Task<string> BindingClientAsync(int uses = 1) =>
        Server.DeviceOnboardingAsync(new JsonObject { ["initial_access_token"] = new JsonObject { ["bound_to_key"] = true, ["uses"] = uses } });

    private async Task<Answer> RegisterAsync(string onboardingClient, JsonObject metadata, params string[] proofs) =>
        await Server.RegisterWithAsync($"Bearer {await Server.InitialAccessTokenAsync(onboardingClient)}", metadata, proofs);

    private async Task<OnboardedClient> OnboardAsync(string onboardingClient, JsonObject? metadata = null) =>
        Onboarded((await RegisterAsync(onboardingClient, metadata ?? Requests.Metadata(_key), Server.RegistrationProof(_key).Sign())).Succeeded(HttpStatusCode.Created));

    private OnboardedClient Onboarded(Answer registered) => new(
        registered["client_id"], registered["registration_access_token"], registered["registration_client_uri"], _key, registered.Json);

    private static JsonObject Metadata(OnboardedClient client, params TestKey[] keys)
    {
        var body = Requests.Metadata(client.Key);
        body["client_id"] = client.ClientId;
        body["jwks"] = TestKey.Jwks(keys);
        return body;
    }

    private static JsonObject At(string url, JsonObject metadata)
    {
        metadata.Remove("jwks");
        metadata["jwks_uri"] = url;
        return metadata;
    }

    private string UpdateProof(OnboardedClient client, TestKey key) => Server.Proof(key, HttpMethod.Put, client.RegistrationClientUri).Sign();

    private Task<Answer> UpdateAsync(OnboardedClient client, JsonObject body, params string[] proofs) => Server.SendAsync(
        HttpMethod.Put, client.Path, $"Bearer {client.RegistrationAccessToken}", DpopScenario.Json(body), [.. proofs.Select(proof => (DpopScenario.Header, proof))]);

    /// <summary>With a proof by a key from before, and one by each that is new.</summary>
    private Task<Answer> UpdateAsync(OnboardedClient client, JsonObject body, TestKey before, params TestKey[] added) => Server.SendAsync(
        HttpMethod.Put, client.Path, $"Bearer {client.RegistrationAccessToken}", DpopScenario.Json(body),
        [(DpopScenario.Header, UpdateProof(client, before)), .. added.Select(key => (NewKeyProof, UpdateProof(client, key)))]);

    private async Task AllowKeyChangeAsync(OnboardedClient client) =>
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/allow-key-change", await Server.AdminTokenAsync())).Succeeded();

    [Fact]
    [Requirement("P-POSSESSION")]
    public async Task A_registration_is_proved_by_a_key_that_is_registered()
    {
        var required = await OnboardingClientAsync("required");
        (await RegisterAsync(required, Requests.Metadata(_key))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "missing");
        (await RegisterAsync(required, Requests.Metadata(_key), Server.RegistrationProof(TestKey.Create()).Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "one of the keys that are registered");
        (await RegisterAsync(required, Requests.Metadata(_key), Server.TokenProof(_key).Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "htu");
        var metadata = Requests.Metadata(_key);
        var proof = Server.RegistrationProof(_key).Sign();
        // A proof shows one key; another beside it may be anybody's.
        metadata["jwks"] = TestKey.Jwks(TestKey.Create(kid: "other"), _key);
        (await RegisterAsync(required, metadata, proof)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks: 2 keys; registration_policy.proof_of_possession");
        metadata["jwks"] = TestKey.Jwks(_key);
        (await RegisterAsync(required, metadata, proof)).Succeeded(HttpStatusCode.Created);
        (await RegisterAsync(required, metadata, proof)).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "used before");
    }

    [Fact]
    [Requirement("P-POSSESSION")]
    public async Task A_registration_is_proved_by_a_key_at_its_jwks_uri()
    {
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(_key).ToJsonString());
        var required = await OnboardingClientAsync("required");
        (await RegisterAsync(required, At(host.Url, Requests.Metadata(_key)))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        (await RegisterAsync(required, At(host.Url, Requests.Metadata(_key)), Server.RegistrationProof(TestKey.Create()).Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        host.Document = TestKey.Jwks(_key, TestKey.Create(kid: "other")).ToJsonString();
        (await RegisterAsync(required, At(host.Url, Requests.Metadata(_key)), Server.RegistrationProof(_key).Sign())).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks_uri: 2 keys");
        host.Document = TestKey.Jwks(_key).ToJsonString();
        (await RegisterAsync(required, At(host.Url, Requests.Metadata(_key)), Server.RegistrationProof(_key).Sign())).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-POSSESSION")]
    public async Task Where_it_is_optional_no_proof_is_fine_and_a_wrong_one_is_not()
    {
        var optional = await OnboardingClientAsync("optional");
        (await RegisterAsync(optional, Requests.Metadata(_key))).Succeeded(HttpStatusCode.Created);
        (await RegisterAsync(optional, Requests.Metadata(_key), Server.RegistrationProof(TestKey.Create()).Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        var client = await OnboardAsync(optional);
        var next = TestKey.Create(kid: "next");
        (await UpdateAsync(client, Metadata(client, next), UpdateProof(client, next))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        (await UpdateAsync(client, Metadata(client, next))).Succeeded();
        (await RegisterAsync(await OnboardingClientAsync("off"), Requests.Metadata(_key), "nonsense")).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-POSSESSION")]
    public async Task A_token_that_is_bound_to_a_registered_key_is_proof_enough()
    {
        var required = await OnboardingClientAsync("required");
        var token = await Server.BoundTokenAsync(_key, required);
        (await Server.RegisterBoundAsync(_key, token, Requests.Metadata(TestKey.Create()))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "one of the keys that are registered");
        (await Server.RegisterBoundAsync(_key, token, Requests.Metadata(_key))).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-POSSESSION")]
    public async Task Trying_out_uses_no_proof_up()
    {
        var token = await Server.InitialAccessTokenAsync(await OnboardingClientAsync("required"));
        var proof = Server.RegistrationProof(_key).Sign();
        var path = Server.Path("/oauth/register");
        async Task<Answer> PostAsync(string query, string dpop) =>
            await Server.SendAsync(HttpMethod.Post, path + query, $"Bearer {token}", DpopScenario.Json(Requests.Metadata(_key)), (DpopScenario.Header, dpop));
        (await PostAsync("?validate_only=true", proof)).Succeeded();
        (await PostAsync("?validate_only=true", Server.RegistrationProof(TestKey.Create()).Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        (await PostAsync("", proof)).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-POSSESSION")]
    public async Task A_change_of_keys_is_proved_by_a_key_from_before()
    {
        var client = await OnboardAsync(await OnboardingClientAsync("required"));
        var next = TestKey.Create(kid: "next");
        (await UpdateAsync(client, Metadata(client, next))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "missing");
        (await UpdateAsync(client, Metadata(client, next), UpdateProof(client, next))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "had before");
        (await UpdateAsync(client, Metadata(client, _key, next), UpdateProof(client, next))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "had before");
        // The same kid makes no key the same.
        (await UpdateAsync(client, Metadata(client, TestKey.Create(kid: _key.Kid)))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        (await UpdateAsync(client, Metadata(client, next), Server.RegistrationProof(_key).Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "ht");
        (await UpdateAsync(client, Metadata(client, next), _key, next)).Succeeded();
        (await Server.PostTokenAsync(Server.Assertion(next, client.ClientId).Sign())).Succeeded();
        // What was a key before the last change is none now.
        (await UpdateAsync(client, Metadata(client, _key), UpdateProof(client, _key))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "had before");
    }

    [Fact]
    [Requirement("P-POSSESSION")]
    public async Task What_adds_no_key_needs_no_proof()
    {
        var other = TestKey.Create(kid: "other");
        var client = await OnboardAsync(await OnboardingClientAsync("required"));
        var updated = (await UpdateAsync(client, Metadata(client, _key, other), _key, other)).Succeeded();
        client = client with { RegistrationAccessToken = updated["registration_access_token"] };
        var body = Metadata(client, _key, other);
        body["client_name"] = "Another name";
        (await UpdateAsync(client, body)).Succeeded();
        updated = (await UpdateAsync(client, Metadata(client, other))).Succeeded();
        client = client with { RegistrationAccessToken = updated["registration_access_token"] };
        (await UpdateAsync(client, Metadata(client, _key, other))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
    }

    [Fact]
    [Requirement("P-POSSESSION")]
    public async Task A_move_to_a_URL_or_to_another_is_a_change_of_keys()
    {
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(_key).ToJsonString());
        var client = await OnboardAsync(await OnboardingClientAsync("required"));
        (await UpdateAsync(client, At(host.Url, Metadata(client)))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "missing");
        (await UpdateAsync(client, At(host.Url, Metadata(client)), UpdateProof(client, _key))).Succeeded();
        (await UpdateAsync(client, At(host.Url, Metadata(client)))).Succeeded();

        var stolen = TestKey.Create(kid: "stolen");
        await using var attacker = await JwksHost.StartAsync(TestKey.Jwks(_key, stolen).ToJsonString());
        (await UpdateAsync(client, At(attacker.Url, Metadata(client)))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        (await UpdateAsync(client, At(attacker.Url, Metadata(client)), UpdateProof(client, stolen))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        (await UpdateAsync(client, Metadata(client, stolen), UpdateProof(client, stolen))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        (await UpdateAsync(client, Metadata(client, _key, stolen), UpdateProof(client, _key))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", stolen.Thumbprint());
        (await UpdateAsync(client, At(attacker.Url, Metadata(client)), UpdateProof(client, _key))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", stolen.Thumbprint());
        (await UpdateAsync(client, At(attacker.Url, Metadata(client)), _key, stolen)).Succeeded();
    }

    [Fact]
    [Requirement("P-POSSESSION")]
    public async Task Each_key_that_an_update_brings_proves_itself()
    {
        var (second, third, foreign) = (TestKey.Create(kid: "second"), TestKey.Create(kid: "third"), TestKey.Create(kid: "foreign"));
        var client = await OnboardAsync(await OnboardingClientAsync("required"));
        (await UpdateAsync(client, Metadata(client, foreign), UpdateProof(client, _key))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", foreign.Thumbprint());
        (await UpdateAsync(client, Metadata(client, _key, second, foreign), _key, second)).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", foreign.Thumbprint());
        (await UpdateAsync(client, Metadata(client, _key, second), _key, third)).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "a key that is new");
        (await UpdateAsync(client, Metadata(client, _key, second), _key, [.. Enumerable.Repeat(second, 11)])).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "at most 10");
        // New keys do not vouch for a change.
        (await UpdateAsync(client, Metadata(client, second, third), second, third)).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "had before");
        client = client with { RegistrationAccessToken = (await UpdateAsync(client, Metadata(client, _key, second, third), _key, second, third)).Succeeded()["registration_access_token"] };
        (await Server.PostTokenAsync(Server.Assertion(third, client.ClientId).Sign())).Succeeded();

        // By leave of an administrator one of the new keys vouches, and the others prove themselves all the same.
        await AllowKeyChangeAsync(client);
        var fourth = TestKey.Create(kid: "fourth");
        (await UpdateAsync(client, Metadata(client, fourth, foreign), UpdateProof(client, fourth))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", foreign.Thumbprint());
        (await UpdateAsync(client, Metadata(client, fourth, foreign), fourth, foreign)).Succeeded();
    }

    [Fact]
    [Requirement("P-POSSESSION")]
    public async Task A_quarantined_key_proves_nothing()
    {
        var client = await OnboardAsync(await OnboardingClientAsync("required"));
        var admin = await Server.AdminTokenAsync();
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/keys/{_key.Thumbprint()}/quarantine", admin)).Succeeded();
        var next = TestKey.Create(kid: "next");
        (await UpdateAsync(client, Metadata(client, next), UpdateProof(client, _key))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "had before");
        await AllowKeyChangeAsync(client);
        (await UpdateAsync(client, Metadata(client, next), UpdateProof(client, next))).Succeeded();
    }

    [Fact]
    [Requirement("P-POSSESSION")]
    public async Task An_administrator_allows_one_change_within_a_day_and_the_new_key_is_proved()
    {
        var client = await OnboardAsync(await OnboardingClientAsync("required"));
        var next = TestKey.Create(kid: "next");
        await AllowKeyChangeAsync(client);
        // An update that changes no keys leaves the leave alone.
        var renamed = Metadata(client, _key);
        renamed["client_name"] = "Another name";
        (await UpdateAsync(client, renamed)).Succeeded();
        (await UpdateAsync(client, Metadata(client, next))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "missing");
        (await UpdateAsync(client, Metadata(client, next), UpdateProof(client, TestKey.Create()))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "one of the new keys");
        (await UpdateAsync(client, Metadata(client, next), UpdateProof(client, next))).Succeeded();
        var third = TestKey.Create(kid: "third");
        (await UpdateAsync(client, Metadata(client, third), UpdateProof(client, third))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "had before");

        var late = await OnboardAsync(await OnboardingClientAsync("required"));
        await AllowKeyChangeAsync(late);
        Server.Time.Advance(TimeSpan.FromHours(24) + TimeSpan.FromSeconds(1));
        (await UpdateAsync(late, Metadata(late, next), UpdateProof(late, next))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "had before");
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{DcrServer.OnboardingClient}/allow-key-change", await Server.AdminTokenAsync())).Refused(HttpStatusCode.Conflict, "conflict");
    }

    [Fact]
    [Requirement("P-POSSESSION")]
    public async Task A_policy_that_grows_stricter_holds_for_clients_that_are_there()
    {
        var onboarding = await OnboardingClientAsync("off");
        var client = await OnboardAsync(onboarding);
        await Server.ChangePolicyAsync(onboarding, new JsonObject { ["proof_of_possession"] = "required" });
        var next = TestKey.Create(kid: "next");
        (await UpdateAsync(client, Metadata(client, next))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        (await UpdateAsync(client, Metadata(client, next), _key, next)).Succeeded();
    }

    [Fact]
    [Requirement("P-DEVICE")]
    public async Task A_token_that_must_be_bound_is_asked_for_with_a_proof_and_registers_that_key_only()
    {
        var binding = await BindingClientAsync(uses: 2);
        (await Server.PostInitialTokenAsync(binding)).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "bound_to_key");
        var token = await Server.BoundTokenAsync(_key, binding);
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(_key).ToJsonString());
        var both = Requests.Metadata(_key);
        both["jwks"] = TestKey.Jwks(_key, TestKey.Create(kid: "other"));
        foreach (var metadata in new[] { Requests.Metadata(TestKey.Create()), both, At(host.Url, Requests.Metadata(_key)) })
        {
            (await Server.RegisterBoundAsync(_key, token, metadata)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks");
        }
        (await Server.RegisterBoundAsync(_key, token, Requests.Metadata(_key))).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-DEVICE")]
    public async Task A_stolen_token_of_a_device_is_worth_nothing()
    {
        var thief = TestKey.Create();
        var token = await Server.BoundTokenAsync(_key, await BindingClientAsync());
        (await Server.RegisterAsync(token, Requests.Metadata(thief))).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.RegisterBoundAsync(thief, token, Requests.Metadata(thief))).Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof");
        (await Server.RegisterBoundAsync(thief, token, Requests.Metadata(_key))).Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof");
        (await Server.RegisterWithAsync($"DPoP {token}", Requests.Metadata(_key), Server.RegistrationProof(_key, token).SignWith(thief))).Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof");
    }

    [Fact]
    [Requirement("P-DEVICE")]
    public async Task An_unbound_token_from_before_registers_nothing_once_the_policy_binds()
    {
        var onboarding = await OnboardingClientAsync("off");
        var token = await Server.InitialAccessTokenAsync(onboarding);
        await Server.ChangePolicyAsync(onboarding, new JsonObject { ["initial_access_token"] = new JsonObject { ["bound_to_key"] = true } });
        (await Server.RegisterWithAsync($"Bearer {token}", Requests.Metadata(_key), Server.RegistrationProof(_key).Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "bound_to_key");
    }

    [Fact]
    [Requirement("P-DEVICE")]
    public async Task A_device_changes_its_key_by_the_old_one_and_never_to_a_URL()
    {
        var token = await Server.BoundTokenAsync(_key, await BindingClientAsync());
        var client = Onboarded((await Server.RegisterBoundAsync(_key, token, Requests.Metadata(_key))).Succeeded(HttpStatusCode.Created));
        var next = TestKey.Create(kid: "next");
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(_key).ToJsonString());
        (await UpdateAsync(client, Metadata(client, next))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        (await UpdateAsync(client, At(host.Url, Metadata(client)), UpdateProof(client, _key))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks_uri");
        (await UpdateAsync(client, Metadata(client, next), UpdateProof(client, _key))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", next.Thumbprint());
        (await UpdateAsync(client, Metadata(client, next), _key, next)).Succeeded();
    }

    [Fact]
    [Requirement("P-POSSESSION", "P-DEVICE")]
    public async Task A_repeated_request_is_proved_by_the_same_key()
    {
        var required = await OnboardingClientAsync("required");
        var token = await Server.InitialAccessTokenAsync(required);
        async Task<Answer> PostAsync(string bearer, params string[] proofs) => await Server.SendAsync(
            HttpMethod.Post, Server.Path("/oauth/register"), bearer, DpopScenario.Json(Requests.Metadata(_key)),
            [("Idempotency-Key", "once"), .. proofs.Select(proof => (DpopScenario.Header, proof))]);
        var proof = Server.RegistrationProof(_key).Sign();
        var first = (await PostAsync($"Bearer {token}", proof)).Succeeded(HttpStatusCode.Created);
        (await PostAsync($"Bearer {token}")).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "missing");
        (await PostAsync($"Bearer {token}", proof)).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "used before");
        (await PostAsync($"Bearer {token}", Server.RegistrationProof(TestKey.Create()).Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "another key");
        Assert.Equal(first.Text, (await PostAsync($"Bearer {token}", Server.RegistrationProof(_key).Sign())).Succeeded(HttpStatusCode.Created).Text);

        var device = await Server.BoundTokenAsync(_key, required);
        var bound = (await PostAsync($"DPoP {device}", Server.RegistrationProof(_key, device).Sign())).Succeeded(HttpStatusCode.Created);
        Assert.NotEqual(first["client_id"], bound["client_id"]);
        Assert.Equal(bound.Text, (await PostAsync($"DPoP {device}", Server.RegistrationProof(_key, device).Sign())).Succeeded(HttpStatusCode.Created).Text);
        (await PostAsync($"Bearer {device}")).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }
}

public sealed class KeyPossessionTestsOnSqlite(SqliteServer server) : KeyPossessionTests(server), IClassFixture<SqliteServer>;

public sealed class KeyPossessionTestsOnMongoDb(MongoDbServer server) : KeyPossessionTests(server), IClassFixture<MongoDbServer>;
