using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The admin API of onboarding clients: /admin/v1/onboarding-clients.</summary>
public abstract class OnboardingClientTests(DcrServer server) : ServerTests(server)
{
    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();

    private async Task<Answer> CreateAsync(JsonObject entry) => await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", entry);

    private Task<Answer> ShowAsync(OnboardingParty party) => Server.AdminAsync(HttpMethod.Get, $"onboarding-clients/{party.ClientId}");

    private async Task<Answer> SendAsync(HttpMethod method, OnboardingParty party, JsonObject? body, string? ifMatch) =>
        await Server.SendAsync(method, Server.Path($"/admin/v1/onboarding-clients/{party.ClientId}"), await Server.AdminTokenAsync(), body, ifMatch);

    /// <summary>Every member of a policy, as an operator may write it.</summary>
    private static JsonObject FullPolicy() => Parse($$"""
        {
          "initial_access_token": {"uses": 3, "lifetime_seconds": 600, "bound_to_key": true},
          "scope": {"allowed": ["read", "write"], "default": ["read"]},
          "grant_types": {"allowed": ["client_credentials"], "default": ["client_credentials"]},
          "signing_algs": ["ES256", "PS256"],
          "keys": "jwks", "jwks_uri_hosts": ["*.partner.example"], "redirect_uri_hosts": ["app.example"],
          "max_live_clients": 100000, "max_registrations_per_hour": 10000,
          "client_lifetime_seconds": 86400, "idle_lifetime_seconds": 7200,
          "software_statement": {"mode": "optional", "issuers": [{"issuer": "https://directory.example", "jwks_uri": "https://directory.example/ssa.json", "software_ids": ["a"]}]},
          "proof_of_possession": "required",
          "attestation": {"mode": "optional", "attesters": [{"issuer": "https://app.example", "jwks": {{TestKey.Jwks(TestKey.Create()).ToJsonString()}}}]},
          "defaults": {"contacts": ["ops@directory.example"], "client_name#ja": "x"}
        }
        """);

    [Fact]
    [Requirement("P-POLICY", "P-ADMIN")]
    public async Task Creates_shows_and_lists_one_with_every_member_of_its_policy()
    {
        var entry = OnboardingRequests.OnboardingEntry(TestKey.Create(), FullPolicy());
        Server.Time.Advance(TimeSpan.FromSeconds(1));
        var created = (await CreateAsync(entry)).Succeeded(HttpStatusCode.Created);
        Assert.Equal("\"1\"", created.Response.Headers.ETag!.Tag);
        Assert.Equal("active", created["status"]);
        Assert.Equal("dcr", created["scope"]);
        Assert.True(JsonNode.DeepEquals(entry["registration_policy"], created.Json["registration_policy"]), created.Text);

        var path = $"onboarding-clients/{entry["client_id"]}";
        var shown = (await Server.AdminAsync(HttpMethod.Get, path)).Succeeded();
        Assert.True(JsonNode.DeepEquals(entry["registration_policy"], shown.Json["registration_policy"]), shown.Text);
        Assert.Equal(0, shown.Json["live_clients"]!.GetValue<long>());
        var listed = (await Server.AdminAsync(HttpMethod.Get, "onboarding-clients?limit=1")).Succeeded();
        Assert.Equal(entry["client_id"]!.GetValue<string>(), listed.Json["items"]![0]!["client_id"]!.GetValue<string>());
        Assert.NotNull(listed.Json["next"]);

        // What is shown can be sent back as it is.
        (await Server.AdminAsync(HttpMethod.Put, path, shown.Json)).Succeeded();
    }

    [Fact]
    [Requirement("P-ADMIN")]
    public async Task Lists_only_onboarding_clients_and_each_once()
    {
        var parties = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            parties.Add((await Server.OnboardingClientAsync()).ClientId);
        }
        var client = await Server.OnboardAsync();
        var found = new List<string>();
        string? cursor = null;
        do
        {
            var page = (await Server.AdminAsync(HttpMethod.Get, $"onboarding-clients?limit=2{(cursor is null ? "" : $"&cursor={cursor}")}")).Succeeded();
            found.AddRange(page.Json["items"]!.AsArray().Select(item => item!["client_id"]!.GetValue<string>()));
            cursor = page.Json["next"]?.GetValue<string>();
        }
        while (cursor is not null);
        Assert.Equal(found.Count, found.Distinct().Count());
        Assert.All([.. parties, DcrServer.OnboardingClient, "fleet"], party => Assert.Contains(party, found));
        Assert.DoesNotContain(client.ClientId, found);
        Assert.DoesNotContain(DcrServer.Admin, found);
    }

    public static TheoryData<string, string[]> FaultyPolicies => new()
    {
        {
            """
            {"made_up":1,"initial_access_token":{"uses":0,"lifetime_seconds":90000},"scope":{"allowed":["re ad"],"default":["write"]},"grant_types":{"allowed":["password"]},
             "signing_algs":["none"],"jwks_uri_hosts":["https://x"],"redirect_uri_hosts":["*"],"max_live_clients":-1,"max_registrations_per_hour":-1,"client_lifetime_seconds":1,
             "idle_lifetime_seconds":60,"software_statement":{"mode":"required"},"attestation":{"mode":"required"},"defaults":{"logo_uri":"x","contact":["x"]}}
            """,
            ["made_up", "initial_access_token.uses", "initial_access_token.lifetime_seconds", "scope: 're ad'", "scope.default: 'write'", "grant_types: 'password'", "signing_algs: 'none'", "jwks_uri_hosts: 'https://x'",
             "redirect_uri_hosts: '*'", "max_live_clients", "max_registrations_per_hour", "client_lifetime_seconds", "idle_lifetime_seconds", "software_statement.issuers", "attestation.attesters", "defaults.logo_uri", "defaults.contact:"]
        },
        { """{"uses":1}""", ["uses"] },
        { """{"max_live_clients":"many","keys":"both","scope":["read"],"initial_access_token":{"use":1}}""", ["max_live_clients", "keys", "scope", "initial_access_token"] },
        { """{"max_live_clients":1.5,"proof_of_possession":5}""", ["max_live_clients", "proof_of_possession"] },
        { """{"scope":{"allowed":null}}""", ["scope"] },
        { """{"scope":{"allowed":[null]}}""", ["scope"] },
        { """{"signing_algs":[null],"jwks_uri_hosts":[null],"grant_types":{"allowed":[null]}}""", ["signing_algs", "jwks_uri_hosts", "grant_types"] },
        { """{"software_statement":{"mode":"required","issuers":[null]},"attestation":{"mode":"off","attesters":[null]}}""", ["software_statement", "attestation"] },
        { """{"software_statement":{"mode":"required","issuers":[{"issuer":"https://a.example"},{"issuer":"https://b.example","jwks":{"keys":[{"kty":"oct","k":"AAAA","kid":"secret"}]}},{"issuer":"https://b.example","jwks_uri":"ftp://b.example"}]}}""", ["issuers[0]", "issuers[1].jwks", "issuers[2].jwks_uri", "'https://b.example' appears 2 times"] },
        { """{"software_statement":{"mode":"required","issuers":[{"issuer":"https://a.example","jwks_uri":"https://a.example/j","software_ids":["a",""]}]}}""", ["issuers[0].software_ids: ''"] },
        { """{"software_statement":{"mode":"optional","issuers":[{"issuer":"https://a.example","jwks":{"keys":[null]}}]}}""", ["software_statement"] },
        { """{"scope":{"allowed":["read"]},"grant_types":{"allowed":["client_credentials"]},"defaults":{"scope":"write","jwks_uri":"https://a.example/j"}}""", ["defaults"] },
        { """{"scope":{"allowed":["read"]},"grant_types":{"allowed":["client_credentials"]},"defaults":{"scope":"write","grant_types":["authorization_code"],"redirect_uris":["https://app.example/cb"]}}""", ["defaults.scope", "defaults.grant_types"] },
        { """{"jwks_uri_hosts":["b\u00fccher.example"]}""", ["jwks_uri_hosts"] },
        { "null", ["registration_policy: needed"] },
        { "[]", ["registration_policy: must be a JSON object"] },
    };

    [Theory]
    [MemberData(nameof(FaultyPolicies))]
    [Requirement("P-POLICY")]
    public async Task Names_every_fault_of_a_policy_at_once(string policy, string[] names)
    {
        var entry = OnboardingRequests.OnboardingEntry(TestKey.Create());
        entry["registration_policy"] = JsonNode.Parse(policy);
        var answer = (await CreateAsync(entry)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "registration_policy");
        Assert.All(names, name => Assert.Contains(name, answer.Description, StringComparison.Ordinal));
    }

    [Theory]
    [Requirement("P-POLICY")]
    [InlineData("client_id", null, "client_id")]
    [InlineData("client_id", "\"a b\"", "client_id")]
    [InlineData("client_id", "\"a/b\"", "client_id")]
    [InlineData("client_id", "\"\"", "client_id")]
    [InlineData("jwks", null, "jwks")]
    [InlineData("jwks", """{"keys":[]}""", "jwks")]
    [InlineData("token_endpoint_auth_method", null, "token_endpoint_auth_method")]
    [InlineData("token_endpoint_auth_method", "\"client_secret_basic\"", "token_endpoint_auth_method")]
    [InlineData("scope", "\"read\"", "dcr")]
    [InlineData("grant_types", "[\"authorization_code\"]", "client_credentials")]
    public async Task Rejects_an_entry_that_could_not_onboard(string member, string? json, string names)
    {
        var entry = OnboardingRequests.OnboardingEntry(TestKey.Create());
        entry.Remove(member);
        if (json is not null)
        {
            entry[member] = JsonNode.Parse(json);
        }
        (await CreateAsync(entry)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", names);
    }

    [Fact]
    public async Task Rejects_a_client_id_that_is_taken()
    {
        var entry = OnboardingRequests.OnboardingEntry(TestKey.Create(), clientId: DcrServer.Admin);
        (await CreateAsync(entry)).Refused(HttpStatusCode.Conflict, "conflict", "client_id");
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Applies_a_change_to_the_next_request_and_leaves_registered_clients_alone()
    {
        var party = await Server.OnboardingClientAsync("""{"initial_access_token":{"uses":10}}""");
        var token = await Server.InitialAccessTokenAsync(party);
        var client = OnboardedClient.Of((await Server.RegisterAsync(token, Requests.Metadata(TestKey.Create()))).Succeeded(HttpStatusCode.Created), TestKey.Create());
        (await Server.ReplacePolicyAsync(party, Parse("""{"initial_access_token":{"uses":10},"scope":{"allowed":["write"]}}"""))).Succeeded();

        (await Server.RegisterAsync(token, Requests.Metadata(TestKey.Create()))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "registration_policy.scope allows write");
        Assert.Equal("read", (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded()["scope"]);
        Assert.Equal("active", await Server.StatusAsync(client));

        (await Server.ReplacePolicyAsync(party, Parse("""{"initial_access_token":{"uses":1}}"""))).Succeeded();
        (await Server.RegisterAsync(token, Requests.Metadata(TestKey.Create()))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "uses allows 1");
    }

    [Fact]
    [Requirement("P-ETAG")]
    public async Task Honours_If_Match()
    {
        var party = await Server.OnboardingClientAsync();
        var tag = (await ShowAsync(party)).Succeeded().Response.Headers.ETag!.Tag;
        var replaced = (await SendAsync(HttpMethod.Put, party, party.Entry, tag)).Succeeded();
        Assert.Equal("\"2\"", replaced.Response.Headers.ETag!.Tag);
        (await SendAsync(HttpMethod.Put, party, party.Entry, tag)).Refused(HttpStatusCode.PreconditionFailed, "precondition_failed");
        (await SendAsync(HttpMethod.Delete, party, null, tag)).Refused(HttpStatusCode.PreconditionFailed, "precondition_failed");
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, party, null, "\"2\"")).Status);
    }

    [Fact]
    [Requirement("P-POLICY", "P-AUDIT")]
    public async Task Deletes_one_and_leaves_its_clients()
    {
        var party = await Server.OnboardingClientAsync();
        var client = await Server.OnboardAsync(party);
        var token = await Server.InitialAccessTokenAsync(party);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync(HttpMethod.Delete, party, null, null)).Status);

        (await ShowAsync(party)).Refused(HttpStatusCode.NotFound, "not_found");
        (await SendAsync(HttpMethod.Delete, party, null, null)).Refused(HttpStatusCode.NotFound, "not_found");
        (await SendAsync(HttpMethod.Put, party, party.Entry, null)).Refused(HttpStatusCode.NotFound, "not_found");
        (await Server.RegisterAsync(token, Requests.Metadata(TestKey.Create()))).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.PostTokenAsync(Server.Assertion(party.Key, party.ClientId).Sign(), "dcr")).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        await Server.AccessTokenAsync(client.Key, client.ClientId);
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded();

        var audit = (await Server.AdminAsync(HttpMethod.Get, $"audit?subject={party.ClientId}")).Succeeded();
        Assert.Equal(["onboarding_client.deleted", "onboarding_client.created"], audit.Json["items"]!.AsArray().Select(record => record!["action"]!.GetValue<string>()));
        Assert.Contains("read", audit.Json["items"]![1]!["changes"]!["registration_policy"]!["after"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-ADMIN")]
    public async Task Is_for_onboarding_clients_only()
    {
        var client = await Server.OnboardAsync();
        (await Server.AdminAsync(HttpMethod.Get, $"onboarding-clients/{client.ClientId}")).Refused(HttpStatusCode.NotFound, "not_found");
        (await Server.AdminAsync(HttpMethod.Delete, $"onboarding-clients/{DcrServer.Admin}")).Refused(HttpStatusCode.NotFound, "not_found");
        var party = await Server.OnboardingClientAsync();
        (await Server.AdminAsync(HttpMethod.Put, $"onboarding-clients/{party.ClientId}", OnboardingRequests.OnboardingEntry(party.Key))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "client_id");
        (await Server.AdminAsync(HttpMethod.Get, "onboarding-clients", await Server.InitialAccessTokenAsync(party))).Refused(HttpStatusCode.Forbidden, "insufficient_scope");
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Keeps_a_suspended_one_suspended_when_it_is_replaced()
    {
        var party = await Server.OnboardingClientAsync();
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{party.ClientId}/suspend")).Succeeded();
        Assert.Equal("suspended", (await Server.ReplacePolicyAsync(party, [])).Succeeded()["status"]);
        (await Server.PostTokenAsync(Server.Assertion(party.Key, party.ClientId).Sign(), "dcr")).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }
}

public sealed class OnboardingClientTestsOnSqlite(SqliteServer server) : OnboardingClientTests(server), IClassFixture<SqliteServer>;

public sealed class OnboardingClientTestsOnMongoDb(MongoDbServer server) : OnboardingClientTests(server), IClassFixture<MongoDbServer>;
