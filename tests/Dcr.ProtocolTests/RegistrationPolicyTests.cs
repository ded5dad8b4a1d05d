using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>What a registration policy allows, rule by rule; a refusal names the rule and what it allows.</summary>
public abstract class RegistrationPolicyTests(DcrServer server) : ServerTests(server)
{
    /// <summary>Valid metadata with these members instead; null leaves one out.</summary>
    private static JsonObject With(string members, TestKey? key = null)
    {
        var metadata = Requests.Metadata(key ?? TestKey.Create());
        foreach (var (name, value) in JsonNode.Parse(members)!.AsObject())
        {
            metadata[name] = value?.DeepClone();
        }
        return metadata;
    }

    private async Task RefusesAsync(string policy, JsonObject metadata, string rule, string allows, string error = "invalid_client_metadata")
    {
        var answer = (await Server.RegisterAsync(await Server.OnboardingClientAsync(policy), metadata)).Refused(HttpStatusCode.BadRequest, error, rule);
        Assert.Contains(allows, answer.Description, StringComparison.Ordinal);
    }

    private async Task<Answer> AcceptsAsync(string policy, JsonObject metadata) =>
        (await Server.RegisterAsync(await Server.OnboardingClientAsync(policy), metadata)).Succeeded(HttpStatusCode.Created);

    public static TheoryData<string, string> Allowed => new()
    {
        { """{"scope":{"allowed":["read","write"]}}""", """{"scope":"write read"}""" },
        { """{"grant_types":{"allowed":["client_credentials"]}}""", """{"grant_types":["client_credentials"]}""" },
        { """{"grant_types":{"allowed":["client_credentials"]}}""", """{"grant_types":null}""" },
        { """{"signing_algs":["ES256","PS256"]}""", """{"token_endpoint_auth_signing_alg":"ES256"}""" },
        { """{"signing_algs":["ES256"]}""", "{}" },
        { """{"keys":"jwks"}""", "{}" },
        { """{"keys":"any","jwks_uri_hosts":["*.partner.example"]}""", "{}" },
        { """{"redirect_uri_hosts":["app.example","*.partner.example"]}""", """{"redirect_uris":["https://app.example/cb","https://a.partner.example/cb","https://b.a.partner.example/cb"]}""" },
        { """{"redirect_uri_hosts":["App.Example"]}""", """{"redirect_uris":["https://app.example/cb"]}""" },
        { """{"redirect_uri_hosts":["app.example"]}""", "{}" },
        { """{"software_statement":{"mode":"none"},"proof_of_possession":"off","attestation":{"mode":"off"},"client_lifetime_seconds":null,"idle_lifetime_seconds":null,"max_live_clients":null}""", "{}" },
    };

    [Theory]
    [MemberData(nameof(Allowed))]
    [Requirement("P-POLICY")]
    public async Task Accepts_what_the_policy_allows(string policy, string members) => await AcceptsAsync(policy, With(members));

    /// <summary>It reads like "none" and would mean "any".</summary>
    [Theory]
    [Requirement("P-POLICY")]
    [InlineData("signing_algs", """{"signing_algs":[]}""")]
    [InlineData("jwks_uri_hosts", """{"jwks_uri_hosts":[]}""")]
    [InlineData("redirect_uri_hosts", """{"redirect_uri_hosts":[]}""")]
    [InlineData("grant_types.allowed", """{"grant_types":{"allowed":[]}}""")]
    [InlineData("grant_types.default", """{"grant_types":{"default":[]}}""")]
    [InlineData("software_statement.issuers[0].software_ids", """{"software_statement":{"mode":"optional","issuers":[{"issuer":"x","jwks_uri":"https://x.example/j","software_ids":[]}]}}""")]
    public async Task Rejects_an_empty_list_in_a_policy_and_names_it(string member, string policy)
    {
        var entry = OnboardingRequests.OnboardingEntry(TestKey.Create(), JsonNode.Parse(policy)!.AsObject());
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", entry)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", $"registration_policy.{member}: must not be empty");
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Shows_a_policy_as_it_can_be_put_back()
    {
        var party = await Server.OnboardingClientAsync("""{"grant_types":{"allowed":["client_credentials"]}}""");
        var shown = (await Server.AdminAsync(HttpMethod.Get, $"onboarding-clients/{party.ClientId}")).Succeeded().Json["registration_policy"]!.AsObject();
        (await Server.ReplacePolicyAsync(party, shown)).Succeeded();
    }

    public static TheoryData<string, string, string, string> Excess => new()
    {
        { """{"scope":{"allowed":["read","write"]}}""", """{"scope":"read delete"}""", "registration_policy.scope", "read write" },
        { """{"scope":{"allowed":["read"]}}""", """{"scope":null}""", "registration_policy.scope", "read" },
        { """{"scope":{"allowed":[]}}""", """{"scope":"read"}""", "registration_policy.scope", "none" },
        { """{"scope":{"allowed":[]}}""", """{"scope":null}""", "registration_policy.scope", "none" },
        { """{"grant_types":{"allowed":["client_credentials"]}}""", """{"grant_types":["client_credentials","authorization_code"],"redirect_uris":["https://app.example/cb"]}""", "registration_policy.grant_types", "client_credentials" },
        { """{"grant_types":{"allowed":["authorization_code"]}}""", """{"grant_types":null}""", "registration_policy.grant_types", "authorization_code" },
        { """{"signing_algs":["ES256","ES384"]}""", """{"token_endpoint_auth_signing_alg":"PS256"}""", "registration_policy.signing_algs", "ES256 ES384" },
        { """{"keys":"jwks"}""", """{"jwks":null,"jwks_uri":"https://keys.example/jwks"}""", "registration_policy.keys", "jwks only" },
        { """{"keys":"jwks_uri"}""", "{}", "registration_policy.keys", "jwks_uri only" },
        { """{"jwks_uri_hosts":["keys.example","*.partner.example"]}""", """{"jwks":null,"jwks_uri":"https://partner.example/jwks"}""", "registration_policy.jwks_uri_hosts", "keys.example *.partner.example" },
        { """{"jwks_uri_hosts":["keys.example"]}""", """{"jwks":null,"jwks_uri":"https://keys.example.evil.example/jwks"}""", "registration_policy.jwks_uri_hosts", "keys.example" },
    };

    [Theory]
    [MemberData(nameof(Excess))]
    [Requirement("P-POLICY")]
    public async Task Rejects_what_the_policy_does_not_allow_and_names_the_rule(string policy, string members, string rule, string allows) =>
        await RefusesAsync(policy, With(members), rule, allows);

    [Theory]
    [Requirement("P-POLICY")]
    [InlineData("https://other.example/cb")]
    [InlineData("https://partner.example/cb")]
    [InlineData("https://evilpartner.example/cb")]
    [InlineData("https://app.example.evil.example/cb")]
    [InlineData("com.example.app:/cb")]
    [InlineData("http://127.0.0.1/cb")]
    public async Task Rejects_a_redirect_uri_of_another_host(string uri) => await RefusesAsync(
        """{"redirect_uri_hosts":["app.example","*.partner.example"]}""",
        With($$"""{"redirect_uris":["https://app.example/cb","{{uri}}"]}"""),
        "registration_policy.redirect_uri_hosts",
        "app.example *.partner.example",
        "invalid_redirect_uri");

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Accepts_keys_from_an_allowed_host_and_rejects_them_from_another()
    {
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(TestKey.Create()).ToJsonString());
        var metadata = With($$"""{"jwks":null,"jwks_uri":"{{host.Url}}"}""");
        await AcceptsAsync("""{"keys":"jwks_uri","jwks_uri_hosts":["127.0.0.1"]}""", metadata);
        await RefusesAsync("""{"keys":"jwks_uri","jwks_uri_hosts":["127.0.0.2"]}""", metadata, "registration_policy.jwks_uri_hosts", "127.0.0.2");
    }

    [Theory]
    [Requirement("P-POLICY")]
    [InlineData("PS256", """["PS256"]""", true)]
    [InlineData("RS256", """["ES256","RS512"]""", true)]
    [InlineData("ES384", """["ES384"]""", true)]
    [InlineData("PS256", """["ES256","ES384"]""", false)]
    [InlineData("ES384", """["ES256","PS256"]""", false)]
    public async Task Holds_keys_to_the_kinds_that_its_algorithms_need(string alg, string allowed, bool fits)
    {
        var policy = $$"""{"signing_algs":{{allowed}}}""";
        var metadata = With("{}", TestKey.Create(alg, kid: "the-key"));
        if (fits)
        {
            await AcceptsAsync(policy, metadata);
            return;
        }
        await RefusesAsync(policy, metadata, "registration_policy.signing_algs", "the-key");
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Holds_a_client_to_the_algorithms_it_was_registered_under()
    {
        var party = await Server.OnboardingClientAsync("""{"signing_algs":["PS256"]}""");
        var key = TestKey.Create("PS256");
        var client = (await Server.RegisterAsync(party, With("{}", key))).Succeeded(HttpStatusCode.Created);
        await Server.AccessTokenAsync(key, client["client_id"]);
        (await Server.PostTokenAsync(Server.Assertion(key.As(alg: "RS256"), client["client_id"]).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }

    [Fact]
    [Requirement("P-POLICY", "R7591-2-08", "R7591-3.2.1-01")]
    public async Task Gives_its_defaults_for_what_a_request_leaves_out()
    {
        const string Policy = """
            {"scope":{"allowed":["read","write"],"default":["read","write"]},
             "grant_types":{"allowed":["client_credentials","authorization_code"],"default":["authorization_code"]},
             "defaults":{"contacts":["ops@directory.example"],"client_name":"Unnamed","client_name#ja":"名なし","redirect_uris":["https://app.example/cb"],"tos_uri":"https://directory.example/tos"}}
            """;
        var answer = await AcceptsAsync(Policy, With("""{"scope":null,"grant_types":null,"client_name":null}"""));
        Assert.Equal("read write", answer["scope"]);
        Assert.Equal("""["authorization_code"]""", answer.Json["grant_types"]!.ToJsonString());
        Assert.Equal("""["code"]""", answer.Json["response_types"]!.ToJsonString());
        Assert.Equal("""["ops@directory.example"]""", answer.Json["contacts"]!.ToJsonString());
        Assert.Equal("Unnamed", answer["client_name"]);
        Assert.Equal("名なし", answer["client_name#ja"]);
        Assert.Equal("https://directory.example/tos", answer["tos_uri"]);
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Prefers_what_a_request_says_to_its_defaults()
    {
        var answer = await AcceptsAsync(
            """{"scope":{"allowed":["read","write"],"default":["write"]},"defaults":{"contacts":["ops@directory.example"],"client_name":"Unnamed"}}""",
            With("""{"scope":"read","client_name":"Named","contacts":["me@partner.example"]}"""));
        Assert.Equal("read", answer["scope"]);
        Assert.Equal("Named", answer["client_name"]);
        Assert.Equal("""["me@partner.example"]""", answer.Json["contacts"]!.ToJsonString());
    }

    [Fact]
    [Requirement("P-POLICY", "P-ONCE")]
    public async Task Gives_an_initial_access_token_its_uses_and_its_lifetime()
    {
        var party = await Server.OnboardingClientAsync("""{"initial_access_token":{"uses":2,"lifetime_seconds":120}}""");
        var issued = (await Server.PostTokenAsync(Server.Assertion(party.Key, party.ClientId).Sign(), "dcr")).Succeeded();
        Assert.Equal(120, issued.Json["expires_in"]!.GetValue<int>());
        await RegisterTwiceAsync(issued["access_token"]);
        (await Server.RegisterAsync(issued["access_token"], With("{}"))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "registration_policy.initial_access_token.uses allows 2");

        var second = await Server.InitialAccessTokenAsync(party);
        Server.Time.Advance(TimeSpan.FromSeconds(119));
        (await Server.RegisterAsync(second, With("{}"))).Succeeded(HttpStatusCode.Created);
        Server.Time.Advance(TimeSpan.FromSeconds(15));
        (await Server.RegisterAsync(second, With("{}"))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "expired");
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Uses_a_token_once_for_five_minutes_when_the_policy_says_nothing()
    {
        var party = await Server.OnboardingClientAsync();
        var issued = (await Server.PostTokenAsync(Server.Assertion(party.Key, party.ClientId).Sign(), "dcr")).Succeeded();
        Assert.Equal(300, issued.Json["expires_in"]!.GetValue<int>());
        (await Server.RegisterAsync(issued["access_token"], With("{}"))).Succeeded(HttpStatusCode.Created);
        (await Server.RegisterAsync(issued["access_token"], With("{}"))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "registration_policy.initial_access_token.uses allows 1");
    }

    [Fact]
    [Requirement("P-POLICY", "R7591-3.2.2-03")]
    public async Task Names_every_rule_at_once_and_uses_nothing_up()
    {
        var party = await Server.OnboardingClientAsync("""{"scope":{"allowed":["read"]},"grant_types":{"allowed":["client_credentials"]},"keys":"jwks_uri","redirect_uri_hosts":["app.example"]}""");
        var token = await Server.InitialAccessTokenAsync(party);
        var excess = With("""{"scope":"write","grant_types":["authorization_code"],"redirect_uris":["https://other.example/cb"]}""");
        var answer = (await Server.RegisterAsync(token, excess)).Refused(HttpStatusCode.BadRequest, "invalid_redirect_uri");
        Assert.All(["scope", "grant_types", "keys", "redirect_uri_hosts"], rule => Assert.Contains($"registration_policy.{rule}", answer.Description, StringComparison.Ordinal));

        await using var host = await JwksHost.StartAsync(TestKey.Jwks(TestKey.Create()).ToJsonString());
        (await Server.RegisterAsync(token, With($$"""{"jwks":null,"jwks_uri":"{{host.Url}}"}"""))).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-POLICY", "P-CEILING")]
    public async Task Holds_an_update_to_the_policy_as_well()
    {
        var party = await Server.OnboardingClientAsync("""{"scope":{"allowed":["read"]},"keys":"jwks","signing_algs":["ES256"]}""");
        var client = await Server.OnboardAsync(party);
        var update = Requests.Metadata(client.Key);
        update["client_id"] = client.ClientId;
        update["scope"] = "read write";
        (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, update)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "registration_policy.scope");
        update["scope"] = "read";
        update["jwks"] = TestKey.Jwks(TestKey.Create("PS256"));
        (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, update)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "registration_policy.signing_algs");
        update["jwks"] = TestKey.Jwks(TestKey.Create());
        (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, update)).Succeeded();
    }

    private async Task RegisterTwiceAsync(string token)
    {
        (await Server.RegisterAsync(token, With("{}"))).Succeeded(HttpStatusCode.Created);
        (await Server.RegisterAsync(token, With("{}"))).Succeeded(HttpStatusCode.Created);
    }
}

public sealed class RegistrationPolicyTestsOnSqlite(SqliteServer server) : RegistrationPolicyTests(server), IClassFixture<SqliteServer>;

public sealed class RegistrationPolicyTestsOnMongoDb(MongoDbServer server) : RegistrationPolicyTests(server), IClassFixture<MongoDbServer>;
