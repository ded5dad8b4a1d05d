using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Client registration requests: RFC 7591 sections 2 and 3.</summary>
public abstract class ClientRegistrationRequestTests(DcrServer server) : ServerTests(server)
{
    private static JsonObject Valid(TestKey? key = null) => Requests.Metadata(key ?? TestKey.Create());

    private async Task<Answer> RegisterAsync(JsonObject metadata) => await Server.RegisterAsync(await Server.InitialAccessTokenAsync(), metadata);

    private async Task RefusesAsync(Action<JsonObject> change, string names, string error = "invalid_client_metadata")
    {
        var metadata = Valid();
        change(metadata);
        (await RegisterAsync(metadata)).Refused(HttpStatusCode.BadRequest, error, names);
    }

    [Fact]
    [Requirement("R7591-3.2.1-01", "R7591-3.2.1-03", "R7591-3.2.1-05", "R7592-2-01", "R7592-3-01", "R7592-5-02", "R9700-4.15-01", "R7591-2-05", "R7591-2-08", "R7591-3-01", "R7592-5-03")]
    public async Task Makes_a_client_and_shows_all_that_is_registered()
    {
        var key = TestKey.Create();
        var metadata = Valid(key);
        metadata.Remove("scope");
        metadata.Remove("grant_types");
        metadata["client_id"] = "chosen-by-the-client";

        var answer = (await RegisterAsync(metadata)).Succeeded(HttpStatusCode.Created);

        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType!.MediaType);
        Assert.True(answer.Response.Headers.CacheControl!.NoStore);
        Assert.Equal("\"1\"", answer.Response.Headers.ETag!.Tag);
        Assert.Matches("^[0-9a-f]{32}$", answer["client_id"]);
        Assert.Equal($"{Server.RegistrationEndpoint}/{answer["client_id"]}", answer["registration_client_uri"]);
        Assert.Equal(43, answer["registration_access_token"].Length);
        Assert.Equal(Server.Time.GetUtcNow().ToUnixTimeSeconds(), answer.Json["client_id_issued_at"]!.GetValue<long>());
        Assert.Equal("read", answer["scope"]);
        Assert.Equal("client_credentials", answer.Json["grant_types"]!.AsArray().Single()!.GetValue<string>());
        Assert.Empty(answer.Json["response_types"]!.AsArray());
        Assert.Equal("private_key_jwt", answer["token_endpoint_auth_method"]);
        Assert.Equal(key.Kid, answer.Json["jwks"]!["keys"]![0]!["kid"]!.GetValue<string>());
        Assert.Null(answer.Json["client_secret"]);
        Assert.Null(answer.Json["client_secret_expires_at"]);
    }

    [Fact]
    [Requirement("R7591-3.2.1-01", "R7591-2.2-01", "R7591-2-09", "R7591-2-03", "R7591-5-05")]
    public async Task Returns_every_member_of_RFC_7591_as_registered()
    {
        var metadata = Valid();
        metadata["redirect_uris"] = new JsonArray("https://app.example/cb", "http://127.0.0.1/cb", "com.example.app:/cb");
        metadata["grant_types"] = new JsonArray("client_credentials", "authorization_code", "refresh_token");
        metadata["response_types"] = new JsonArray("code");
        metadata["client_name#ja-Jpan-JP"] = "\u30af\u30e9\u30a4\u30a2\u30f3\u30c8\u540d";
        metadata["client_uri"] = "https://app.example/";
        metadata["client_uri#fr"] = "https://app.example/fr";
        metadata["logo_uri"] = "https://app.example/logo.png";
        metadata["scope"] = "read write";
        metadata["contacts"] = new JsonArray("ops@app.example");
        metadata["tos_uri"] = "https://app.example/tos";
        metadata["policy_uri"] = "https://app.example/policy";
        metadata["software_id"] = "4NRB1-0XZABZI9E6-5SM3R";
        metadata["software_version"] = "2.1";
        metadata["token_endpoint_auth_signing_alg"] = "ES256";

        var answer = (await RegisterAsync(metadata)).Succeeded(HttpStatusCode.Created);

        foreach (var (name, value) in metadata.Where(member => member.Key != "jwks"))
        {
            Assert.True(JsonNode.DeepEquals(value, answer.Json[name]), name);
        }
    }

    [Fact]
    [Requirement("R7591-2-01")]
    public async Task Ignores_members_it_does_not_know()
    {
        var metadata = Valid();
        metadata["application_type"] = "web";
        metadata["x-made-up"] = new JsonObject { ["a"] = 1 };
        metadata["made_up#ja"] = "x";
        metadata["client_name#not a tag"] = "x";
        var answer = (await RegisterAsync(metadata)).Succeeded(HttpStatusCode.Created);
        Assert.Null(answer.Json["application_type"]);
        Assert.Null(answer.Json["x-made-up"]);
        Assert.Null(answer.Json["made_up#ja"]);
        Assert.Null(answer.Json["client_name#not a tag"]);
    }

    [Fact]
    [Requirement("R7592-2.2-08")]
    public async Task Takes_a_null_member_as_left_out()
    {
        var metadata = Valid();
        metadata["jwks_uri"] = null;
        metadata["redirect_uris"] = null;
        metadata["scope"] = null;
        metadata["client_name#ja"] = null;
        var answer = (await RegisterAsync(metadata)).Succeeded(HttpStatusCode.Created);
        Assert.Equal("read", answer["scope"]);
        Assert.DoesNotContain("null", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [Requirement("R7591-2-10", "R7591-2-11")]
    [InlineData("client_name", "5")]
    [InlineData("redirect_uris", "\"https://app.example/cb\"")]
    [InlineData("redirect_uris", "[null]")]
    [InlineData("grant_types", "{}")]
    [InlineData("scope", "[\"read\"]")]
    [InlineData("scope", "\"re\\\"ad\"")]
    [InlineData("contacts", "[5]")]
    [InlineData("jwks", "{\"keys\":5}")]
    [InlineData("jwks", "{}")]
    [InlineData("client_name#ja", "5")]
    public async Task Rejects_a_member_of_the_wrong_type_and_names_it(string member, string json) => await RefusesAsync(
        m => m[member] = JsonNode.Parse(json), member, member == "redirect_uris" && json == "[null]" ? "invalid_redirect_uri" : "invalid_client_metadata");

    [Fact]
    [Requirement("R7591-2-04", "R7591-3.2.1-01", "P-FETCH")]
    public async Task Downloads_jwks_uri_and_lets_the_client_authenticate_with_it()
    {
        var key = TestKey.Create();
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(key).ToJsonString());
        var client = await Server.OnboardAsync(key, m =>
        {
            m.Remove("jwks");
            m["jwks_uri"] = host.Url;
        });
        Assert.Equal(host.Url, client.Information["jwks_uri"]!.GetValue<string>());
        Assert.Null(client.Information["jwks"]);
        await Server.AccessTokenAsync(key, client.ClientId);
    }

    [Fact]
    [Requirement("R7591-2-04")]
    public async Task Rejects_a_jwks_uri_that_does_not_work()
    {
        await using var host = await JwksHost.StartAsync("""{"keys":[]}""");
        foreach (var uri in new[] { host.Url, host.Url + "/missing", $"http://127.0.0.1:{Ports.Free()}/jwks" })
        {
            await RefusesAsync(m => { m.Remove("jwks"); m["jwks_uri"] = uri; }, "jwks_uri");
        }
    }

    [Theory]
    [Requirement("R7591-2-04", "P-URI")]
    [InlineData("ftp://keys.example/jwks")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https://user:pass@keys.example/jwks")]
    [InlineData("https://keys.example/jwks#fragment")]
    [InlineData("keys.example/jwks")]
    [InlineData("")]
    public async Task Rejects_a_malformed_jwks_uri(string uri) => await RefusesAsync(m => { m.Remove("jwks"); m["jwks_uri"] = uri; }, "jwks_uri");

    [Fact]
    [Requirement("R7591-2-02")]
    public async Task Rejects_jwks_and_jwks_uri_together_and_neither()
    {
        await RefusesAsync(m => m["jwks_uri"] = "https://keys.example/jwks", "jwks");
        await RefusesAsync(m => m.Remove("jwks"), "jwks");
    }

    [Theory]
    [Requirement("R7591-2-05", "OIDCC-9-02", "R7591-2-12")]
    [InlineData("client_secret_basic")]
    [InlineData("client_secret_post")]
    [InlineData("client_secret_jwt")]
    [InlineData("none")]
    [InlineData("tls_client_auth")]
    [InlineData(null)]
    public async Task Rejects_another_authentication_method(string? method) => await RefusesAsync(
        m =>
        {
            if (method is null)
            {
                m.Remove("token_endpoint_auth_method");
            }
            else
            {
                m["token_endpoint_auth_method"] = method;
            }
        },
        "token_endpoint_auth_method");

    [Theory]
    [Requirement("OIDCC-9-03")]
    [InlineData("none")]
    [InlineData("HS256")]
    [InlineData("RS256")]
    public async Task Rejects_a_signing_algorithm_that_cannot_be_used(string alg) =>
        await RefusesAsync(m => m["token_endpoint_auth_signing_alg"] = alg, "token_endpoint_auth_signing_alg");

    [Fact]
    [Requirement("R7591-2.1-01", "R7591-2-07")]
    public async Task Rejects_grant_types_and_response_types_that_disagree()
    {
        await RefusesAsync(m => m["response_types"] = new JsonArray("code"), "response_types");
        await RefusesAsync(m => { m.Remove("grant_types"); m["response_types"] = new JsonArray("code"); }, "response_types");
        await RefusesAsync(
            m =>
            {
                m["grant_types"] = new JsonArray("authorization_code");
                m["redirect_uris"] = new JsonArray("https://app.example/cb");
                m["response_types"] = new JsonArray();
            },
            "response_types");
        await RefusesAsync(m => m["response_types"] = new JsonArray("token"), "response_types");
        await RefusesAsync(m => m["grant_types"] = new JsonArray("password"), "grant_types");
        await RefusesAsync(m => m["grant_types"] = new JsonArray(), "grant_types");
        await RefusesAsync(m => m["grant_types"] = new JsonArray("client_credentials", "refresh_token"), "refresh_token");
    }

    [Fact]
    [Requirement("R7591-2-06", "R7591-3.2.2-02")]
    public async Task Rejects_a_redirect_flow_without_redirect_uris() =>
        await RefusesAsync(m => m["grant_types"] = new JsonArray("authorization_code"), "redirect_uris", "invalid_redirect_uri");

    [Theory]
    [Requirement("R7591-3.2.2-02", "R9700-4.1.3-01", "R7591-2-06", "R6749-3.1.2-01", "R7591-5-05")]
    [InlineData("http://app.example/cb")]
    [InlineData("http://localhost/cb")]
    [InlineData("file:///etc/passwd")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("https://user@app.example/cb")]
    [InlineData("https://app.example/cb#fragment")]
    [InlineData("https://*.app.example/cb")]
    [InlineData("https:/app.example")]
    [InlineData("/cb")]
    [InlineData("")]
    public async Task Rejects_a_redirect_uri_that_is_not_safe(string uri) => await RefusesAsync(
        m =>
        {
            m["grant_types"] = new JsonArray("authorization_code");
            m["redirect_uris"] = new JsonArray("https://good.example/cb", uri);
        },
        "redirect_uris",
        "invalid_redirect_uri");

    [Theory]
    [Requirement("R7591-2-09")]
    [InlineData("client_uri", "javascript:alert(1)")]
    [InlineData("logo_uri", "data:image/png;base64,x")]
    [InlineData("tos_uri", "not a uri")]
    [InlineData("policy_uri", "file:///x")]
    [InlineData("logo_uri#de", "javascript:alert(1)")]
    public async Task Rejects_a_display_link_that_is_no_web_url(string member, string uri) => await RefusesAsync(m => m[member] = uri, member);

    [Theory]
    [Requirement("R7591-2-08", "P-SCOPE", "R7591-5-01", "R9700-2.3-01", "P-CEILING")]
    [InlineData("delete")]
    [InlineData("dcr")]
    [InlineData("dcr.admin")]
    [InlineData("introspect")]
    [InlineData("read dcr.admin")]
    public async Task Rejects_a_scope_above_the_policy(string scope) => await RefusesAsync(m => m["scope"] = scope, "read write");

    [Fact]
    [Requirement("R7591-2-08")]
    public async Task Rejects_no_scope_when_the_policy_has_no_default()
    {
        var metadata = Valid();
        metadata.Remove("scope");
        (await Server.RegisterAsync(await Server.InitialAccessTokenAsync("fleet"), metadata)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "telemetry");
    }

    [Fact]
    [Requirement("R7591-3.2.2-02", "R7591-2.3-03")]
    public async Task Rejects_a_software_statement_nobody_vouches_for() =>
        await RefusesAsync(m => m["software_statement"] = "e30.e30.x", "software_statement", "unapproved_software_statement");

    [Fact]
    [Requirement("R7591-3.2.2-01", "R6749-5.2-02")]
    public async Task Names_every_fault_at_once()
    {
        var metadata = Valid();
        metadata["token_endpoint_auth_method"] = "none";
        metadata["logo_uri"] = "x";
        metadata["redirect_uris"] = new JsonArray("http://\u00fc.example/\"\\");
        var answer = (await RegisterAsync(metadata)).Refused(HttpStatusCode.BadRequest, "invalid_redirect_uri", "redirect_uris");
        Assert.Contains("token_endpoint_auth_method", answer.Description, StringComparison.Ordinal);
        Assert.Contains("logo_uri", answer.Description, StringComparison.Ordinal);
    }

    [Theory]
    [Requirement("P-KEY", "R7517-4.5-01", "R7518-3.3-01", "R7591-2-03", "R7517-5-01", "R8725-3.4-01")]
    [InlineData("private")]
    [InlineData("symmetric")]
    [InlineData("rsa1024")]
    [InlineData("duplicate-kid")]
    [InlineData("empty")]
    [InlineData("not-a-set")]
    [InlineData("encryption-only")]
    [InlineData("off-curve")]
    public async Task Rejects_keys_that_are_unfit(string which)
    {
        var key = TestKey.Create(kid: "bad-key");
        JsonNode jwks = which switch
        {
            "private" => new JsonObject { ["keys"] = new JsonArray(key.PrivateJwk()) },
            "symmetric" => JsonNode.Parse("""{"keys":[{"kty":"oct","kid":"bad-key","k":"c2VjcmV0"}]}""")!,
            "rsa1024" => TestKey.Jwks(TestKey.Create("RS256", "bad-key", 1024)),
            "duplicate-kid" => TestKey.Jwks(key, TestKey.Create(kid: "bad-key")),
            "empty" => TestKey.Jwks(),
            "not-a-set" => new JsonArray(key.PublicJwk()),
            "encryption-only" => Changed(key, "use", "enc"),
            _ => Changed(key, "y", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"),
        };
        var metadata = Valid();
        metadata["jwks"] = jwks;
        var answer = (await RegisterAsync(metadata)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks");
        if (which is "private" or "symmetric" or "rsa1024" or "duplicate-kid" or "off-curve")
        {
            Assert.Contains("bad-key", answer.Description, StringComparison.Ordinal);
        }

        static JsonObject Changed(TestKey key, string member, string value)
        {
            var jwk = key.PublicJwk();
            jwk[member] = value;
            return new JsonObject { ["keys"] = new JsonArray(jwk) };
        }
    }

    [Fact]
    [Requirement("R7517-5-01")]
    public async Task Leaves_out_keys_of_kinds_it_does_not_know()
    {
        var key = TestKey.Create();
        var metadata = Valid(key);
        metadata["jwks"]!["keys"]!.AsArray().Add(JsonNode.Parse("""{"kty":"OKP","crv":"Ed25519","kid":"ed","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"""));
        var answer = (await RegisterAsync(metadata)).Succeeded(HttpStatusCode.Created);
        Assert.Equal(key.Kid, Assert.Single(answer.Json["jwks"]!["keys"]!.AsArray())!["kid"]!.GetValue<string>());
    }

    [Fact]
    [Requirement("R7591-3-02", "R7591-3.1-02", "R6750-3-01", "R6750-3.1-01")]
    public async Task Rejects_a_request_without_a_token()
    {
        var answer = (await Server.RegisterAsync((string?)null, Valid())).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        var challenge = Assert.Single(answer.Response.Headers.WwwAuthenticate);
        Assert.Equal("Bearer", challenge.Scheme);
        Assert.DoesNotContain("error", challenge.Parameter!, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("R6750-2-01")]
    public async Task Rejects_a_token_anywhere_but_in_the_Authorization_header()
    {
        var token = await Server.InitialAccessTokenAsync();
        (await Server.SendAsync(HttpMethod.Post, Server.Path($"/oauth/register?access_token={token}"), null, Valid())).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }

    [Fact]
    [Requirement("R7591-3.1-02", "R9068-4-01")]
    public async Task Rejects_an_expired_token()
    {
        var token = await Server.InitialAccessTokenAsync();
        Server.Time.Advance(TimeSpan.FromSeconds(301));
        var answer = (await Server.RegisterAsync(token, Valid())).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        Assert.Contains("error=\"invalid_token\"", Assert.Single(answer.Response.Headers.WwwAuthenticate).Parameter!, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("R7591-3.1-02", "R8725-3.12-01", "R6750-3.1-01")]
    public async Task Rejects_an_API_token_and_an_administrators_token()
    {
        var client = await Server.OnboardAsync();
        var apiToken = await Server.AccessTokenAsync(client.Key, client.ClientId);
        var answer = (await Server.RegisterAsync(apiToken, Valid())).Refused(HttpStatusCode.Forbidden, "insufficient_scope", "dcr");
        Assert.Contains("scope=\"dcr\"", Assert.Single(answer.Response.Headers.WwwAuthenticate).Parameter!, StringComparison.Ordinal);
        (await Server.RegisterAsync(await Server.AdminTokenAsync(), Valid())).Refused(HttpStatusCode.Forbidden, "insufficient_scope");
    }

    [Fact]
    [Requirement("R7591-3.1-02", "R8725-3.12-01")]
    public async Task Rejects_other_things_sent_as_a_token()
    {
        var client = await Server.OnboardAsync();
        foreach (var token in new[] { client.RegistrationAccessToken, Server.Assertion(Server.OnboardingKey, DcrServer.OnboardingClient).Sign(), "x", "a.b.c" })
        {
            (await Server.RegisterAsync(token, Valid())).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        }
    }

    [Fact]
    [Requirement("R9068-4-01")]
    public async Task Rejects_a_token_that_somebody_else_signed()
    {
        var genuine = await Server.InitialAccessTokenAsync();
        var parts = genuine.Split('.');
        var forged = AssertionScenario.Sign(
            TestKey.Create(),
            System.Buffers.Text.Base64Url.DecodeFromChars(parts[0]),
            System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]));
        (await Server.RegisterAsync(forged, Valid())).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.RegisterAsync(genuine, Valid())).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("R7591-3.1-02")]
    public async Task Rejects_a_used_token()
    {
        var token = await Server.InitialAccessTokenAsync();
        (await Server.RegisterAsync(token, Valid())).Succeeded(HttpStatusCode.Created);
        (await Server.RegisterAsync(token, Valid())).Refused(HttpStatusCode.Unauthorized, "invalid_token", "used");
    }

    [Fact]
    [Requirement("R7591-3.1-02", "R7591-3.2.2-03")]
    public async Task A_refused_registration_uses_no_token_up()
    {
        var token = await Server.InitialAccessTokenAsync();
        var faulty = Valid();
        faulty["token_endpoint_auth_method"] = "none";
        (await Server.RegisterAsync(token, faulty)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata");
        (await Server.RegisterAsync(token, Valid())).Succeeded(HttpStatusCode.Created);
    }

    [Theory]
    [Requirement("P-ONCE")]
    [InlineData(DcrServer.OnboardingClient, 1, "read")]
    [InlineData("fleet", 5, "telemetry")]
    public async Task Makes_as_many_clients_as_the_policy_says_of_200_parallel_requests(string onboardingClient, int uses, string scope)
    {
        var token = await Server.InitialAccessTokenAsync(onboardingClient);
        var metadata = Valid();
        metadata["scope"] = scope;
        var answers = await Requests.SendAtOnceAsync(200, _ => Server.RegisterAsync(token, metadata));
        Assert.Equal(uses, answers.Count(answer => answer.Status == HttpStatusCode.Created));
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.Created), answer => answer.Refused(HttpStatusCode.Unauthorized, "invalid_token"));
        Assert.Equal(uses, answers.Where(answer => answer.Status == HttpStatusCode.Created).Select(answer => answer["client_id"]).Distinct().Count());
    }

    [Fact]
    [Requirement("R7591-3.1-02", "P-REV")]
    public async Task Rejects_the_token_of_an_onboarding_client_that_was_suspended_meanwhile()
    {
        var token = await Server.InitialAccessTokenAsync("fleet");
        var admin = await Server.AdminTokenAsync();
        await Server.AdminAsync(HttpMethod.Post, "clients/fleet/suspend", admin);
        (await Server.RegisterAsync(token, Valid())).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        await Server.AdminAsync(HttpMethod.Post, "clients/fleet/resume", admin);
    }

    [Theory]
    [Requirement("R7591-3.1-01", "P-JSON", "R8725-3.7-01")]
    [InlineData("not json")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    [InlineData("{\"client_name\":\"a\",\"client_name\":\"b\"}")]
    [InlineData("{\"client_name\":\"a\\u0000b\"}")]
    [InlineData("{\"client_name\":\"a\\nb\"}")]
    [InlineData("{\"client_name\":\"\\ud800\"}")]
    [InlineData("{\"client_name\":5}")]
    [InlineData("{\"redirect_uris\":\"https://a.example\"}")]
    [InlineData("{\"contacts\":[1]}")]
    [InlineData("{\"jwks\":\"x\"}")]
    [InlineData("{\"x\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}")]
    [InlineData("{\"a\":1}{\"b\":2}")]
    [InlineData("")]
    public async Task Rejects_a_body_that_is_no_metadata(string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        (await Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/register"), await Server.InitialAccessTokenAsync(), content))
            .Refused(HttpStatusCode.BadRequest, "invalid_client_metadata");
    }

    [Fact]
    [Requirement("P-JSON", "R8725-3.7-01")]
    public async Task Rejects_invalid_UTF8()
    {
        using var content = new ByteArrayContent([.. "{\"client_name\":\""u8, 0xc3, 0x28, .. "\"}"u8]);
        content.Headers.ContentType = new("application/json");
        (await Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/register"), await Server.InitialAccessTokenAsync(), content))
            .Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "UTF-8");
    }

    [Fact]
    [Requirement("P-JSON")]
    public async Task Rejects_long_strings_and_long_arrays()
    {
        await RefusesAsync(m => m["client_name"] = new string('x', 2049), "client_name");
        await RefusesAsync(m => m["contacts"] = new JsonArray([.. Enumerable.Range(0, 101).Select(i => (JsonNode)$"c{i}@x.example")]), "contacts");
    }

    [Fact]
    [Requirement("P-JSON")]
    public async Task Rejects_a_body_of_more_than_64_KiB()
    {
        using var content = new StringContent($"{{\"x\":\"{new string('x', 70_000)}\"}}", Encoding.UTF8, "application/json");
        (await Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/register"), await Server.InitialAccessTokenAsync(), content))
            .Refused(HttpStatusCode.RequestEntityTooLarge, "invalid_request");
    }

    [Theory]
    [Requirement("R7591-3.1-01")]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    public async Task Rejects_another_content_type(string type)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(Valid().ToJsonString()));
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        (await Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/register"), await Server.InitialAccessTokenAsync(), content))
            .Refused(HttpStatusCode.UnsupportedMediaType, "invalid_request");
    }

    [Theory]
    [Requirement("R7591-3-03")]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    public async Task Rejects_another_method(string method) =>
        (await Server.SendAsync(new HttpMethod(method), Server.Path("/oauth/register"), await Server.InitialAccessTokenAsync(), (HttpContent?)null))
            .Refused(HttpStatusCode.MethodNotAllowed, "invalid_request");
}

public sealed class ClientRegistrationRequestTestsOnSqlite(SqliteServer server) : ClientRegistrationRequestTests(server), IClassFixture<SqliteServer>;

public sealed class ClientRegistrationRequestTestsOnMongoDb(MongoDbServer server) : ClientRegistrationRequestTests(server), IClassFixture<MongoDbServer>;
