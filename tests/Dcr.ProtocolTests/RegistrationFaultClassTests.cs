using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>
/// Classes of fault that registration endpoints have been found to have: one test or more for each. Algorithm confusion is in
/// <see cref="TokenConfusionTests"/>, request text as a label of a metric in <see cref="MetricLabelTests"/>.
/// </summary>
public abstract class RegistrationFaultClassTests(DcrServer server) : ServerTests(server)
{
    private const string Wide = """
        {"scope":{"allowed":["read","write"],"default":["read"]},"resources":{"allowed":["https://orders.example/"]},"dpop_bound_access_tokens":"optional"}
        """;

    private static readonly TestKey s_rsa = TestKey.Create("PS256", kid: "rsa");

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    /// <summary>Null leaves a member out, and the text "null" sends it as null.</summary>
    private static void Change(JsonObject metadata, string members)
    {
        foreach (var (name, value) in Json(members))
        {
            metadata.Remove(name);
            if (value is not null)
            {
                metadata[name] = value.GetValueKind() == System.Text.Json.JsonValueKind.String && value.GetValue<string>() == "null" ? null : value.DeepClone();
            }
        }
    }

    private static JsonObject Update(OnboardedClient client, string members = "{}")
    {
        var metadata = Requests.Metadata(client.Key);
        metadata["client_id"] = client.ClientId;
        Change(metadata, members);
        return metadata;
    }

    private Task<Answer> PutAsync(OnboardedClient client, JsonObject metadata) => Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, metadata);

    private async Task<string> StoredAsync(OnboardedClient client) =>
        (await Server.AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}")).Succeeded().Json["metadata"]!.ToJsonString();

    private static JsonObject Statements(StatementIssuer issuer, string mode, params string[] softwareIds)
    {
        var policy = StatementIssuer.Policy(mode, issuer.Trusted(softwareIds));
        policy["scope"] = Json(Wide)["scope"]!.DeepClone();
        return policy;
    }

    // 1. The policy is not judged again on an update whose part is unchanged.

    [Theory]
    [Requirement("R7592-2.2-01", "P-POLICY")]
    [InlineData("""{"scope":"read write"}""", """{"scope":{"allowed":["read"]}}""", "registration_policy.scope")]
    [InlineData("""{"scope":"read"}""", """{"scope":{"allowed":[]}}""", "registration_policy.scope")]
    [InlineData("""{"resources":["https://orders.example/"]}""", """{"resources":{"allowed":[]}}""", "registration_policy.resources")]
    [InlineData("""{"grant_types":["client_credentials","authorization_code"],"redirect_uris":["https://app.example/cb"],"response_types":["code"]}""", """{"grant_types":{"allowed":["client_credentials"]}}""", "registration_policy.grant_types")]
    [InlineData("""{"redirect_uris":["https://app.example/cb"]}""", """{"redirect_uri_hosts":["other.example"]}""", "registration_policy.redirect_uri_hosts")]
    [InlineData("""{}""", """{"signing_algs":["PS256"]}""", "registration_policy.signing_algs")]
    [InlineData("""{"token_endpoint_auth_signing_alg":"ES256"}""", """{"signing_algs":["PS256"]}""", "registration_policy.signing_algs")]
    [InlineData("""{}""", """{"keys":"jwks_uri"}""", "registration_policy.keys")]
    [InlineData("""{"dpop_bound_access_tokens":false}""", """{"dpop_bound_access_tokens":"required"}""", "registration_policy.dpop_bound_access_tokens")]
    public async Task Rejects_an_update_that_changes_nothing_when_the_policy_has_become_narrower(string members, string narrower, string rule)
    {
        var party = await Server.OnboardingClientAsync(Wide);
        var client = await Server.OnboardAsync(party, metadata => Change(metadata, members));
        var before = await StoredAsync(client);
        (await Server.ReplacePolicyAsync(party, Json(narrower))).Succeeded();
        foreach (var changed in new[] { "{}", """{"client_name":"Another name"}""" })
        {
            var update = Update(client, members);
            Change(update, changed);
            var answer = await PutAsync(client, update);
            Assert.True(answer.Status == HttpStatusCode.BadRequest, $"{(int)answer.Status} {answer.Text}");
            Assert.Contains(rule, answer.Description, StringComparison.Ordinal);
        }
        Assert.Equal(before, await StoredAsync(client));
    }

    [Fact]
    [Requirement("R7592-2.2-01", "R7591-2.3-03")]
    public async Task Rejects_an_update_with_the_registered_statement_when_its_issuer_is_trusted_no_more()
    {
        var issuer = new StatementIssuer();
        var party = await Server.OnboardingClientAsync(Statements(issuer, "required", "the-app"));
        var statement = issuer.Sign();
        var client = await Server.OnboardAsync(party, metadata => metadata["software_statement"] = statement);
        (await PutAsync(client, Update(client, $$"""{"software_statement":"{{statement}}"}"""))).Succeeded();
        var fresh = await Server.OnboardAsync(party, metadata => metadata["software_statement"] = statement);
        foreach (var policy in new[] { Statements(new StatementIssuer(), "required"), Statements(issuer, "required", "another-app") })
        {
            (await Server.ReplacePolicyAsync(party, policy)).Succeeded();
            (await PutAsync(fresh, Update(fresh, $$"""{"software_statement":"{{statement}}"}"""))).Refused(HttpStatusCode.BadRequest, "unapproved_software_statement");
            (await PutAsync(fresh, Update(fresh))).Refused(HttpStatusCode.BadRequest, "invalid_software_statement");
        }
    }

    // 2. The policy is skipped when a member is left out.

    [Theory]
    [Requirement("P-POLICY")]
    [InlineData("""{"scope":{"allowed":["read"]}}""", """{"scope":null}""", "scope")]
    [InlineData("""{"scope":{"allowed":["read"]}}""", """{"scope":"null"}""", "scope")]
    [InlineData("""{"scope":{"allowed":["read"]}}""", """{"scope":""}""", "scope")]
    [InlineData("""{"grant_types":{"allowed":["authorization_code"]}}""", """{"grant_types":null}""", "grant_types")]
    [InlineData("""{"grant_types":{"allowed":["authorization_code"]}}""", """{"grant_types":[]}""", "grant_types")]
    [InlineData("""{"keys":"jwks"}""", """{"jwks":null}""", "jwks")]
    [InlineData("""{"keys":"jwks"}""", """{"jwks":{"keys":[]}}""", "jwks")]
    [InlineData("""{"keys":"jwks_uri"}""", """{"jwks":null}""", "jwks")]
    [InlineData("""{"jwks_uri_hosts":["keys.example"]}""", """{"jwks":null,"jwks_uri":"null"}""", "jwks")]
    [InlineData("""{}""", """{"token_endpoint_auth_method":null}""", "token_endpoint_auth_method")]
    [InlineData("""{"redirect_uri_hosts":["app.example"]}""", """{"redirect_uris":["com.example.app:/cb"],"grant_types":["authorization_code"],"response_types":["code"]}""", "redirect_uris")]
    [InlineData("""{"redirect_uri_hosts":["app.example"]}""", """{"grant_types":["authorization_code"],"response_types":["code"]}""", "redirect_uris")]
    [InlineData("""{"proof_of_possession":"required"}""", "{}", "proof_of_possession")]
    public async Task Rejects_what_leaves_out_the_member_that_the_policy_is_about(string policy, string members, string names)
    {
        var party = await Server.OnboardingClientAsync(policy);
        var metadata = Requests.Metadata(TestKey.Create());
        Change(metadata, members);
        var answer = await Server.RegisterAsync(party, metadata);
        Assert.True(answer.Status == HttpStatusCode.BadRequest, $"{(int)answer.Status} {answer.Text}");
        Assert.Contains(names, answer.Description, StringComparison.Ordinal);
    }

    [Theory]
    [Requirement("R7591-2.3-03", "R7592-2.2-01", "P-POLICY")]
    [InlineData("""{"software_statement":null}""")]
    [InlineData("""{"software_statement":"null"}""")]
    [InlineData("""{"software_statement":""}""")]
    [InlineData("""{"software_id":"the-app","software_version":"1"}""")]
    public async Task Rejects_a_registration_and_an_update_that_leave_out_a_required_statement(string members)
    {
        var issuer = new StatementIssuer();
        var party = await Server.OnboardingClientAsync(Statements(issuer, "required", "the-app"));
        var metadata = Requests.Metadata(TestKey.Create());
        Change(metadata, members);
        (await Server.RegisterAsync(party, metadata)).Refused(HttpStatusCode.BadRequest, "invalid_software_statement");
        var unnamed = issuer.Sign(new JsonObject { ["iss"] = issuer.Issuer });
        metadata["software_id"] = "the-app";
        metadata["software_statement"] = unnamed;
        (await Server.RegisterAsync(party, metadata)).Refused(HttpStatusCode.BadRequest, "unapproved_software_statement", "software_id");

        var client = await Server.OnboardAsync(party, registered => registered["software_statement"] = issuer.Sign());
        (await PutAsync(client, Update(client, members))).Refused(HttpStatusCode.BadRequest, "invalid_software_statement");
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Judges_keys_by_the_policy_when_no_algorithm_is_named()
    {
        var party = await Server.OnboardingClientAsync("""{"signing_algs":["ES256"]}""");
        (await Server.RegisterAsync(party, Requests.Metadata(s_rsa))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "registration_policy.signing_algs");
        var client = await Server.OnboardAsync(party);
        (await PutAsync(client, Update(client with { Key = s_rsa }))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "registration_policy.signing_algs");
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Fills_in_what_the_policy_requires_where_an_update_leaves_it_out()
    {
        var party = await Server.OnboardingClientAsync("""{"scope":{"allowed":["read","write"],"default":["read"]},"dpop_bound_access_tokens":"optional"}""");
        var client = await Server.OnboardAsync(party, metadata => metadata["scope"] = "read write");
        (await Server.ReplacePolicyAsync(party, Json("""{"scope":{"allowed":["read"],"default":["read"]},"dpop_bound_access_tokens":"required"}"""))).Succeeded();
        var updated = (await PutAsync(client, Update(client, """{"scope":null}"""))).Succeeded();
        Assert.Equal("read", updated["scope"]);
        Assert.True(updated.Json["dpop_bound_access_tokens"]!.GetValue<bool>());
    }

    // 3. An update is judged by the old type of client.

    [Theory]
    [Requirement("R7592-2.2-01", "P-POLICY")]
    [InlineData("""{"grant_types":["authorization_code"],"response_types":["code"]}""", "redirect_uris")]
    [InlineData("""{"grant_types":["authorization_code"],"response_types":["code"],"redirect_uris":["https://evil.example/cb"]}""", "redirect_uris")]
    [InlineData("""{"grant_types":["authorization_code"],"response_types":["code"],"redirect_uris":["http://app.example/cb"]}""", "redirect_uris")]
    [InlineData("""{"grant_types":["implicit"],"response_types":["token"],"redirect_uris":["https://app.example/cb"]}""", "grant_types")]
    [InlineData("""{"grant_types":["refresh_token"]}""", "grant_types")]
    [InlineData("""{"response_types":["code"]}""", "response_types")]
    [InlineData("""{"token_endpoint_auth_method":"none"}""", "token_endpoint_auth_method")]
    [InlineData("""{"token_endpoint_auth_method":"client_secret_basic"}""", "token_endpoint_auth_method")]
    [InlineData("""{"token_endpoint_auth_method":"attest_jwt_client_auth","jwks":null}""", "token_endpoint_auth_method")]
    [InlineData("""{"token_endpoint_auth_signing_alg":"PS256"}""", "token_endpoint_auth_signing_alg")]
    [InlineData("""{"jwks":null,"jwks_uri":"https://keys.example/jwks.json"}""", "registration_policy.keys")]
    public async Task Rejects_an_update_to_another_type_of_client_that_this_type_may_not_be(string members, string names)
    {
        var party = await Server.OnboardingClientAsync("""{"redirect_uri_hosts":["app.example"],"keys":"jwks"}""");
        var client = await Server.OnboardAsync(party);
        var before = await StoredAsync(client);
        var answer = await PutAsync(client, Update(client, members));
        Assert.True(answer.Status == HttpStatusCode.BadRequest, $"{(int)answer.Status} {answer.Text}");
        Assert.Contains(names, answer.Description, StringComparison.Ordinal);
        Assert.Equal(before, await StoredAsync(client));
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Succeeded();
    }

    [Fact]
    [Requirement("R7592-2.2-01")]
    public async Task Judges_requests_by_the_type_that_a_client_has_become()
    {
        var client = await Server.OnboardAsync();
        (await PutAsync(client, Update(client, """{"grant_types":["authorization_code"],"response_types":["code"],"redirect_uris":["https://app.example/cb"]}"""))).Succeeded();
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Refused(HttpStatusCode.BadRequest, "unauthorized_client");
    }

    // 4. A registration token revives a client that an administrator has disabled.

    [Theory]
    [Requirement("R7592-2.2-01", "P-REV")]
    [InlineData("suspend", "suspended", HttpStatusCode.Forbidden)]
    [InlineData("revoke", "revoked", HttpStatusCode.Unauthorized)]
    public async Task A_registration_token_revives_no_client_that_an_administrator_disabled(string step, string status, HttpStatusCode refused)
    {
        var client = await Server.OnboardAsync();
        var renewed = (await PutAsync(client, Update(client))).Succeeded()["registration_access_token"];
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/{step}")).Succeeded();
        foreach (var token in new[] { client.RegistrationAccessToken, renewed })
        {
            foreach (var members in new[] { "{}", """{"status":"active","client_status":"active","enabled":true,"disabled":false}""" })
            {
                Assert.Equal(refused, (await PutAsync(client with { RegistrationAccessToken = token }, Update(client, members))).Status);
            }
            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Delete })
            {
                Assert.Equal(refused, (await Server.SendAsync(method, client.Path, token, (JsonObject?)null)).Status);
            }
            Assert.Equal(refused, (await Server.SendAsync(HttpMethod.Get, client.Path + "/keys", token, (JsonObject?)null)).Status);
        }
        Assert.Equal(status, await Server.StatusAsync(client));
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }

    // 5. A nested path in a name writes where it must not.

    private const string Paths = """
        {
            "registration_policy": {"scope": {"allowed": ["dcr.admin"]}}, "registration_policy.scope.allowed": ["dcr.admin"],
            "metadata": {"scope": "dcr.admin"}, "metadata.scope": "dcr.admin", "scope.0": "dcr.admin", "scope[0]": "dcr.admin", "$.scope": "dcr.admin", "/scope": "dcr.admin",
            "scope#ja": "dcr.admin", "jwks#ja": {"keys": []}, "jwks.keys": [], "jwks.keys.0.kty": "oct", "client_name#ja.scope": "dcr.admin", "client_name.ja": "x",
            "origin": {"onboarding_client": "operator"}, "origin.onboarding_client": "operator", "onboarding_client": "operator",
            "status": "active", "status_index": 0, "version": 99, "lifecycle": {"expires_at": null}, "lifecycle.expires_at": null, "signing_algs": ["RS256"],
            "assertion_exception": {"audience": "own_endpoints", "until": "2999-01-01T00:00:00Z"}, "quarantined_keys": [], "key_change_allowed_until": "2999-01-01T00:00:00Z",
            "$set": {"status": 0, "scope": "dcr.admin"}, "$where": "sleep(1)", "__proto__": {"scope": "dcr.admin"}, "constructor": {"prototype": {"scope": "dcr.admin"}},
            "Scope": "dcr.admin", "SCOPE": "dcr.admin", "scope ": "dcr.admin", "": "dcr.admin", "'; DROP TABLE clients; --": 1
        }
        """;

    [Fact]
    [Requirement("R7591-2-05", "R8725-3.10-01", "P-LINEAGE")]
    public async Task A_name_that_looks_like_a_path_writes_nothing()
    {
        var issuer = new StatementIssuer();
        var party = await Server.OnboardingClientAsync(Statements(issuer, "optional"));
        var client = await Server.OnboardAsync(party, metadata => Change(metadata, Paths));
        await HasWrittenNothingAsync(party, client, client.Information);
        await HasWrittenNothingAsync(party, client, (await PutAsync(client, Update(client, Paths))).Succeeded().Json);

        var claims = issuer.Claims();
        Change(claims, Paths);
        claims["client_id"] = DcrServer.Admin;
        var stated = await Server.OnboardAsync(party, metadata => metadata["software_statement"] = issuer.Sign(claims));
        await HasWrittenNothingAsync(party, stated, stated.Information);
        Assert.Equal("operator", (await Server.AdminAsync(HttpMethod.Get, $"clients/{DcrServer.Admin}")).Succeeded()["client_id"]);
    }

    private async Task HasWrittenNothingAsync(OnboardingParty party, OnboardedClient client, JsonObject answer)
    {
        Assert.Equal("read", answer["scope"]!.GetValue<string>());
        var shown = (await Server.AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}")).Succeeded().Json;
        Assert.Equal(party.ClientId, shown["origin"]!["onboarding_client"]!.GetValue<string>());
        Assert.All(["registration_policy", "assertion_exception", "key_change_allowed_until", "expires_at"], member => Assert.False(shown.ContainsKey(member), member));
        Assert.Equal("active", shown["status"]!.GetValue<string>());
        Assert.True(shown["version"]!.GetValue<long>() < 3);
        var metadata = shown["metadata"]!.AsObject();
        Assert.Equal("read", metadata["scope"]!.GetValue<string>());
        Assert.Single(metadata["jwks"]!["keys"]!.AsArray());
        foreach (var name in Json(Paths).Select(member => member.Key))
        {
            Assert.False(metadata.ContainsKey(name), name);
            Assert.False(answer.ContainsKey(name), name);
        }
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign(), "dcr.admin")).Refused(HttpStatusCode.BadRequest, "invalid_scope");
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Succeeded();
    }

    // 6. An unsigned header satisfies a rule that something must be signed.

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    [Fact]
    [Requirement("R7591-2.3-01", "R8725-3.2-01", "R7515-2-01")]
    public async Task What_is_not_signed_is_no_statement()
    {
        var issuer = new StatementIssuer();
        var party = await Server.OnboardingClientAsync(Statements(issuer, "required", "the-app"));
        var good = issuer.Sign();
        var parts = good.Split('.');
        var stranger = TestKey.Create();
        var claims = issuer.Claims().ToJsonString();
        string[] statements =
        [
            $"{Encode("""{"alg":"none"}""")}.{Encode(claims)}.",
            $"{Encode("""{"alg":"none"}""")}.{Encode(claims)}.{parts[2]}",
            $"{parts[0]}.{parts[1]}.",
            $"{parts[0]}.{parts[1]}",
            $"{parts[0]}.{parts[1]}.{Base64Url.EncodeToString(new byte[64])}",
            // The claims are where nobody looks for them.
            issuer.Sign([], stranger, new JsonObject { ["alg"] = "ES256", ["kid"] = issuer.Key.Kid, ["iss"] = issuer.Issuer, ["software_id"] = "the-app" }),
            issuer.Sign([], header: new JsonObject { ["alg"] = "ES256", ["kid"] = issuer.Key.Kid, ["iss"] = issuer.Issuer, ["software_id"] = "the-app" }),
            // A key that it brings along.
            issuer.Sign(with: stranger, header: new JsonObject { ["alg"] = "ES256", ["kid"] = issuer.Key.Kid, ["jwk"] = stranger.PublicJwk(), ["jku"] = "https://attacker.example/jwks.json" }),
            // RFC 7515 section 7.2: serializations with a header that is not protected.
            new JsonObject { ["payload"] = parts[1], ["protected"] = parts[0], ["header"] = new JsonObject { ["kid"] = issuer.Key.Kid }, ["signature"] = parts[2] }.ToJsonString(),
            new JsonObject { ["payload"] = parts[1], ["signatures"] = new JsonArray(new JsonObject { ["header"] = new JsonObject { ["alg"] = "none" }, ["signature"] = "" }) }.ToJsonString(),
        ];
        foreach (var statement in statements)
        {
            var metadata = Requests.Metadata(TestKey.Create());
            metadata["software_statement"] = statement;
            (await Server.RegisterAsync(party, metadata)).Refused(HttpStatusCode.BadRequest, "invalid_software_statement");
        }
    }

    [Fact]
    [Requirement("R7591-2.3-01", "ABCA-4-01", "R7523-2.2-01")]
    public async Task No_header_of_a_request_stands_for_what_must_be_signed()
    {
        var issuer = new StatementIssuer();
        var party = await Server.OnboardingClientAsync(Statements(issuer, "required"));
        (string, string)[] headers =
        [
            ("Software-Statement", issuer.Sign()), ("X-Software-Statement", issuer.Sign()), ("X-Client-Id", DcrServer.Admin), ("X-Forwarded-User", DcrServer.Admin),
            ("X-SSL-Client-Verify", "SUCCESS"), ("X-Client-Cert", "-----BEGIN CERTIFICATE-----"), ("X-Original-Method", "GET"), ("X-HTTP-Method-Override", "GET"),
        ];
        var token = await Server.InitialAccessTokenAsync(party);
        var body = DpopScenario.Json(Requests.Metadata(TestKey.Create()));
        (await Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/register"), $"Bearer {token}", body, headers)).Refused(HttpStatusCode.BadRequest, "invalid_software_statement");

        var unauthenticated = new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["client_id"] = DcrServer.Admin, ["scope"] = "dcr.admin" };
        (await Server.PostTokenAsync(unauthenticated, headers)).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        var unsigned = $"{Encode("""{"alg":"none","typ":"oauth-client-attestation+jwt"}""")}.{Encode($$"""{"sub":"{{DcrServer.Admin}}","exp":9999999999}""")}.";
        (await Server.PostTokenAsync(unauthenticated, [.. headers, (Devices.Attestation, unsigned), (Devices.AttestationProof, unsigned)])).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }

    [Fact]
    [Requirement("R9449-4.3-01", "P-POSSESSION")]
    public async Task A_proof_that_is_not_signed_proves_no_key()
    {
        var party = await Server.OnboardingClientAsync("""{"proof_of_possession":"required"}""");
        var key = TestKey.Create();
        var token = await Server.InitialAccessTokenAsync(party);
        var proof = Server.RegistrationProof(key).Sign();
        var parts = proof.Split('.');
        var header = TokenQueries.Header(proof);
        header["alg"] = "none";
        foreach (var unsigned in new[] { $"{Encode(header.ToJsonString())}.{parts[1]}.", $"{parts[0]}.{parts[1]}.", Server.RegistrationProof(key).SignWith(TestKey.Create()) })
        {
            (await Server.RegisterWithAsync($"Bearer {token}", Requests.Metadata(key), unsigned)).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof");
        }
        (await Server.RegisterWithAsync($"Bearer {token}", Requests.Metadata(key), proof)).Succeeded(HttpStatusCode.Created);
    }
}

public sealed class RegistrationFaultClassTestsOnSqlite(SqliteServer server) : RegistrationFaultClassTests(server), IClassFixture<SqliteServer>;

public sealed class RegistrationFaultClassTestsOnMongoDb(MongoDbServer server) : RegistrationFaultClassTests(server), IClassFixture<MongoDbServer>;
