using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Clients whose tokens are bound to a key (RFC 9449 section 5.2), and how they manage themselves.</summary>
public abstract class SenderConstrainedTests(DcrServer server) : ServerTests(server)
{
    private async Task<Answer> RegisterAsync(TestKey key, JsonNode? bound, string? policy = null)
    {
        var id = $"onboarding-{Guid.NewGuid():N}";
        var registrationPolicy = new JsonObject { ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read") } };
        if (policy is not null)
        {
            registrationPolicy["dpop_bound_access_tokens"] = policy;
        }
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", await Server.AdminTokenAsync(), DcrServer.SeedClient(id, "dcr", Server.OnboardingKey, registrationPolicy))).Succeeded(HttpStatusCode.Created);
        var metadata = Requests.Metadata(key);
        metadata["dpop_bound_access_tokens"] = bound;
        return await Server.RegisterAsync(await Server.InitialAccessTokenAsync(id), metadata);
    }

    private Task<Answer> ManageAsync(OnboardedClient client, HttpMethod method, string scheme, TestKey? prover, JsonObject? body = null) => Server.SendAsync(
        method,
        client.Path,
        $"{scheme} {client.RegistrationAccessToken}",
        body is null ? null : DpopScenario.Json(body),
        [.. prover is null ? [] : new[] { (DpopScenario.Header, Server.Proof(prover, method, client.RegistrationClientUri, client.RegistrationAccessToken).Sign()) }]);

    private async Task<OnboardedClient> BoundClientAsync(TestKey key)
    {
        var registered = (await RegisterAsync(key, true)).Succeeded(HttpStatusCode.Created);
        return new OnboardedClient(registered["client_id"], registered["registration_access_token"], registered["registration_client_uri"], key, registered.Json);
    }

    private static JsonObject Update(OnboardedClient client, TestKey key)
    {
        var metadata = Requests.Metadata(key);
        metadata["client_id"] = client.ClientId;
        metadata["dpop_bound_access_tokens"] = true;
        return metadata;
    }

    [Fact]
    [Requirement("R9449-5.2-01", "R9449-5-01", "R9449-6.2-01", "R9700-2.2-01")]
    public async Task A_bound_client_gets_tokens_with_a_proof_only()
    {
        var key = TestKey.Create();
        var client = await BoundClientAsync(key);
        Assert.True(client.Information["dpop_bound_access_tokens"]!.GetValue<bool>());
        (await Server.PostTokenAsync(Server.Assertion(key, client.ClientId).Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "dpop_bound_access_tokens");
        var answer = (await Server.PostTokenAsync(Requests.TokenForm(Server.Assertion(key, client.ClientId).Sign()), (DpopScenario.Header, Server.TokenProof(key).Sign()))).Succeeded();
        Assert.Equal("DPoP", answer["token_type"]);
        var introspection = (await Server.IntrospectAsync(answer["access_token"])).Succeeded();
        Assert.Equal("DPoP", introspection["token_type"]);
        Assert.Equal(key.Thumbprint(), introspection.Json["cnf"]!["jkt"]!.GetValue<string>());
    }

    [Theory]
    [Requirement("R9449-5.2-01")]
    [InlineData("required", null, true)]
    [InlineData("required", true, true)]
    [InlineData("required", false, null)]
    [InlineData("off", true, null)]
    [InlineData("off", null, false)]
    [InlineData("optional", true, true)]
    [InlineData("optional", null, false)]
    public async Task The_policy_decides_who_is_bound(string policy, bool? asked, bool? registered)
    {
        var answer = await RegisterAsync(TestKey.Create(), asked is { } value ? JsonValue.Create(value) : null, policy);
        if (registered is null)
        {
            answer.Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "registration_policy.dpop_bound_access_tokens");
            return;
        }
        Assert.Equal(registered, answer.Succeeded(HttpStatusCode.Created).Json["dpop_bound_access_tokens"]?.GetValue<bool>() ?? false);
    }

    [Fact]
    [Requirement("R7592-2-03", "R9449-7-01")]
    public async Task A_registration_access_token_that_leaked_is_nothing_without_a_key_of_the_client()
    {
        var client = await BoundClientAsync(TestKey.Create());
        (await ManageAsync(client, HttpMethod.Get, "DPoP", client.Key)).Succeeded();
        (await ManageAsync(client, HttpMethod.Get, "Bearer", null)).Refused(HttpStatusCode.Unauthorized, "invalid_token", "DPoP");
        (await ManageAsync(client, HttpMethod.Get, "DPoP", null)).Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof");
        var stranger = await ManageAsync(client, HttpMethod.Get, "DPoP", TestKey.Create());
        stranger.Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof", "keys");
        Assert.Equal("DPoP", stranger.Response.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Fact]
    [Requirement("R7592-2.2-01")]
    public async Task A_bound_client_renews_its_key()
    {
        var client = await BoundClientAsync(TestKey.Create());
        var fresh = TestKey.Create(kid: "key-2");
        var updated = (await ManageAsync(client, HttpMethod.Put, "DPoP", client.Key, Update(client, fresh))).Succeeded();
        var renewed = client with { RegistrationAccessToken = updated["registration_access_token"] };
        (await ManageAsync(renewed, HttpMethod.Get, "DPoP", client.Key)).Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof");
        (await ManageAsync(renewed, HttpMethod.Get, "DPoP", fresh)).Succeeded();
        Assert.Equal(HttpStatusCode.NoContent, (await ManageAsync(renewed, HttpMethod.Delete, "DPoP", fresh)).Status);
    }

    [Fact]
    [Requirement("R7592-2.2-01")]
    public async Task A_bound_client_that_lost_its_keys_is_let_in_by_an_administrator()
    {
        var client = await BoundClientAsync(TestKey.Create());
        var fresh = TestKey.Create(kid: "key-2");
        (await ManageAsync(client, HttpMethod.Put, "Bearer", null, Update(client, fresh))).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/allow-key-change", await Server.AdminTokenAsync())).Succeeded();
        (await ManageAsync(client, HttpMethod.Put, "Bearer", null, Update(client, fresh))).Succeeded();
        (await ManageAsync(client, HttpMethod.Get, "Bearer", null)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }
}

/// <summary>Server nonces: RFC 9449 section 8.</summary>
public sealed class DpopNonceTests(NonceServer server) : ServerTests(server), IClassFixture<NonceServer>
{
    private Task<Answer> TokenAsync(string? nonce)
    {
        var proof = Server.TokenProof(Server.OnboardingKey);
        if (nonce is not null)
        {
            proof.Claims["nonce"] = nonce;
        }
        return Server.PostInitialTokenAsync(DcrServer.OnboardingClient, proof.Sign());
    }

    private static string NonceOf(Answer answer) => answer.Response.Headers.GetValues("DPoP-Nonce").Single();

    [Fact]
    [Requirement("R9449-8-01", "R9449-8.2-01")]
    public async Task Asks_for_its_nonce_takes_it_and_gives_the_next()
    {
        var refused = (await TokenAsync(null)).Refused(HttpStatusCode.BadRequest, "use_dpop_nonce");
        var answer = (await TokenAsync(NonceOf(refused))).Succeeded();
        Assert.NotEmpty(NonceOf(answer));

        var metadata = Requests.Metadata(TestKey.Create());
        var atEndpoint = await Server.RegisterBoundAsync(Server.OnboardingKey, answer["access_token"], metadata);
        atEndpoint.Refused(HttpStatusCode.Unauthorized, "use_dpop_nonce");
        Assert.Contains("use_dpop_nonce", atEndpoint.Response.Headers.WwwAuthenticate.ToString(), StringComparison.Ordinal);
        var proof = Server.RegistrationProof(Server.OnboardingKey, answer["access_token"]);
        proof.Claims["nonce"] = NonceOf(atEndpoint);
        (await Server.RegisterWithAsync($"DPoP {answer["access_token"]}", metadata, proof.Sign())).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("R9449-8-01")]
    public async Task Rejects_a_nonce_that_is_old_or_somebody_elses()
    {
        var nonce = NonceOf(await TokenAsync(null));
        Server.Time.Advance(TimeSpan.FromMinutes(6));
        (await TokenAsync(nonce)).Refused(HttpStatusCode.BadRequest, "use_dpop_nonce");
        foreach (var other in new[] { "x", "", nonce[..^2], new string('a', 600), "\u00e9" })
        {
            (await TokenAsync(other)).Refused(HttpStatusCode.BadRequest, "use_dpop_nonce");
        }
    }

    [Fact]
    [Requirement("R9449-8-01")]
    public async Task Gives_no_nonce_to_a_request_without_a_proof()
    {
        var answer = await Server.PostTokenAsync(Server.Assertion(Server.OnboardingKey, DcrServer.OnboardingClient).Sign(), "dcr");
        Assert.False(answer.Succeeded().Response.Headers.Contains("DPoP-Nonce"));
    }
}

public sealed class NonceServer : SqliteServer
{
    public NonceServer() => Settings["Dcr:Dpop:RequireNonce"] = "true";
}

public sealed class SenderConstrainedTestsOnSqlite(SqliteServer server) : SenderConstrainedTests(server), IClassFixture<SqliteServer>;

public sealed class SenderConstrainedTestsOnMongoDb(MongoDbServer server) : SenderConstrainedTests(server), IClassFixture<MongoDbServer>;
