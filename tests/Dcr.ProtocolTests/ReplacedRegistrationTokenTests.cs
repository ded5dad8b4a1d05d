using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>What the registration access token from before an update can still do, and what ends every one of them.</summary>
public abstract class ReplacedRegistrationTokenTests(DcrServer server) : ServerTests(server)
{
    private static JsonObject Update(OnboardedClient client, TestKey key, string name = "Test client")
    {
        var metadata = Requests.Metadata(key);
        metadata["client_id"] = client.ClientId;
        metadata["client_name"] = name;
        return metadata;
    }

    private Task<Answer> PutAsync(OnboardedClient client, string token, JsonObject metadata, params string[] proofs) => Server.SendAsync(
        HttpMethod.Put, client.Path, $"Bearer {token}", DpopScenario.Json(metadata), [.. proofs.Select(proof => (DpopScenario.Header, proof))]);

    private string Proof(OnboardedClient client, TestKey key) => Server.Proof(key, HttpMethod.Put, client.RegistrationClientUri).Sign();

    private Task<Answer> ReadAsync(OnboardedClient client, string token) => Server.GetAsync(client.Path, token);

    [Fact]
    [Requirement("P-ROTATE")]
    public async Task Changes_no_keys_again_after_an_update_that_changed_them()
    {
        var client = await Server.OnboardAsync();
        var owners = TestKey.Create();
        var renewed = (await PutAsync(client, client.RegistrationAccessToken, Update(client, owners))).Succeeded()["registration_access_token"];

        (await PutAsync(client, client.RegistrationAccessToken, Update(client, TestKey.Create()))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "replaced");
        (await Server.PostTokenAsync(Server.Assertion(owners, client.ClientId).Sign())).Succeeded();
        (await ReadAsync(client, renewed)).Succeeded();
        (await ReadAsync(client, client.RegistrationAccessToken)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }

    [Fact]
    [Requirement("P-ROTATE")]
    public async Task Does_not_push_the_new_token_aside_by_an_update_without_keys()
    {
        var client = await Server.OnboardAsync();
        var owners = TestKey.Create();
        var renewed = (await PutAsync(client, client.RegistrationAccessToken, Update(client, owners))).Succeeded()["registration_access_token"];

        var again = (await PutAsync(client, client.RegistrationAccessToken, Update(client, owners, "Again"))).Succeeded();
        Assert.Equal(client.RegistrationAccessToken, again["registration_access_token"]);
        Assert.Equal("Again", (await ReadAsync(client, renewed)).Succeeded()["client_name"]);
    }

    [Fact]
    [Requirement("P-ROTATE")]
    public async Task Renews_for_whoever_proves_a_key_that_is_registered_now()
    {
        var client = await Server.OnboardAsync();
        var owners = TestKey.Create();
        (await PutAsync(client, client.RegistrationAccessToken, Update(client, owners))).Succeeded();

        // The answer was lost: the owner has the old token and the new key.
        var next = TestKey.Create();
        (await PutAsync(client, client.RegistrationAccessToken, Update(client, next), Proof(client, TestKey.Create()))).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        var renewed = (await PutAsync(client, client.RegistrationAccessToken, Update(client, next), Proof(client, owners))).Succeeded()["registration_access_token"];
        (await ReadAsync(client, renewed)).Succeeded();
        (await Server.PostTokenAsync(Server.Assertion(next, client.ClientId).Sign())).Succeeded();
    }

    [Fact]
    [Requirement("P-ROTATE")]
    public async Task Updates_all_again_where_no_key_was_changed()
    {
        var client = await Server.OnboardAsync();
        var lost = (await PutAsync(client, client.RegistrationAccessToken, Update(client, client.Key, "One"))).Succeeded()["registration_access_token"];
        var renewed = (await PutAsync(client, client.RegistrationAccessToken, Update(client, TestKey.Create(), "Two"))).Succeeded()["registration_access_token"];
        Assert.NotEqual(client.RegistrationAccessToken, renewed);
        (await ReadAsync(client, lost)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await ReadAsync(client, renewed)).Succeeded();
    }

    [Fact]
    [Requirement("P-ROTATE", "P-DEVICE")]
    public async Task Is_not_forgotten_by_a_request_whose_proof_is_refused()
    {
        var party = await Server.OnboardingClientAsync("""{"dpop_bound_access_tokens":"required"}""");
        var key = TestKey.Create();
        var metadata = Requests.Metadata(key);
        var client = OnboardedClient.Of((await Server.RegisterAsync(party, metadata)).Succeeded(HttpStatusCode.Created), key);
        string ProofFor(HttpMethod method, string token, TestKey by) => Server.Proof(by, method, client.RegistrationClientUri, token).Sign();
        Task<Answer> SendAsync(HttpMethod method, string token, TestKey by, JsonObject? body = null) => Server.SendAsync(
            method, client.Path, $"DPoP {token}", body is null ? null : DpopScenario.Json(body), (DpopScenario.Header, ProofFor(method, token, by)));
        var renewed = (await SendAsync(HttpMethod.Put, client.RegistrationAccessToken, key, Update(client, key, "One"))).Succeeded()["registration_access_token"];

        // Whoever has the new token and not the key ends nothing.
        Assert.Equal(HttpStatusCode.Unauthorized, (await SendAsync(HttpMethod.Get, renewed, TestKey.Create())).Status);
        (await SendAsync(HttpMethod.Get, client.RegistrationAccessToken, key)).Succeeded();
    }

    [Fact]
    [Requirement("P-ADMIN", "P-AUDIT")]
    public async Task Is_ended_by_a_sign_out_and_given_anew_by_an_administrator_only()
    {
        var client = await Server.OnboardAsync();
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/sign-out")).Succeeded();
        (await ReadAsync(client, client.RegistrationAccessToken)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Succeeded();

        var given = (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/registration-access-token")).Succeeded();
        Assert.Equal(client.RegistrationClientUri, given["registration_client_uri"]);
        (await ReadAsync(client, given["registration_access_token"])).Succeeded();
        var other = (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/registration-access-token")).Succeeded();
        (await ReadAsync(client, given["registration_access_token"])).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await ReadAsync(client, other["registration_access_token"])).Succeeded();

        var records = (await Server.AdminAsync(HttpMethod.Get, $"audit?subject={client.ClientId}")).Succeeded();
        Assert.Contains("client.registration_access_token_renewed", records.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(other["registration_access_token"], records.Text, StringComparison.Ordinal);
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{DcrServer.OnboardingClient}/registration-access-token")).Refused(HttpStatusCode.Conflict, "conflict");
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/revoke")).Succeeded();
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/registration-access-token")).Refused(HttpStatusCode.Conflict, "conflict");
    }
}

public sealed class ReplacedRegistrationTokenTestsOnSqlite(SqliteServer server) : ReplacedRegistrationTokenTests(server), IClassFixture<SqliteServer>;

public sealed class ReplacedRegistrationTokenTestsOnMongoDb(MongoDbServer server) : ReplacedRegistrationTokenTests(server), IClassFixture<MongoDbServer>;
