using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Client authentication by private_key_jwt: RFC 7523 section 3, OpenID Connect Core section 9.</summary>
public abstract class ClientAssertionTests(DcrServer server) : ServerTests(server)
{
    private AssertionScenario Valid() => Server.Assertion(Server.OnboardingKey, DcrServer.OnboardingClient);

    private async Task RefusesAsync(string assertion, string? descriptionHas = null) =>
        (await Server.PostTokenAsync(assertion, "dcr")).Refused(HttpStatusCode.Unauthorized, "invalid_client", descriptionHas);

    [Theory]
    [Requirement("R7523-5-01", "R7518-3.1-01", "R7523-3-07", "R8725-3.1-01", "R7523-3-01", "R7523-3-02")]
    [InlineData("ES256")]
    [InlineData("ES384")]
    [InlineData("ES512")]
    [InlineData("PS256")]
    [InlineData("PS384")]
    [InlineData("PS512")]
    [InlineData("RS256")]
    [InlineData("RS384")]
    [InlineData("RS512")]
    public async Task Accepts_every_supported_algorithm(string alg)
    {
        var client = await Server.OnboardAsync(TestKey.Create(alg));
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Succeeded();
    }

    [Theory]
    [Requirement("R10070-4-04")]
    [InlineData("JWT")]
    [InlineData("jwt")]
    [InlineData("application/jwt")]
    [InlineData("client-authentication+jwt")]
    [InlineData("Application/Client-Authentication+JWT")]
    [InlineData(null)]
    public async Task Accepts_the_types_of_a_client_assertion(string? typ)
    {
        var assertion = typ is null ? Valid().Without("typ") : Valid().WithHeader("typ", typ);
        (await Server.PostTokenAsync(assertion.Sign(), "dcr")).Succeeded();
    }

    [Fact]
    [Requirement("R7521-4.2-02")]
    public async Task Accepts_a_client_id_that_is_the_sub()
    {
        var form = Requests.TokenForm(Valid().Sign(), "dcr");
        form["client_id"] = DcrServer.OnboardingClient;
        (await Server.PostTokenAsync(form)).Succeeded();
    }

    [Fact]
    [Requirement("R10070-4-01")]
    public async Task Accepts_an_audience_in_a_one_element_array() =>
        (await Server.PostTokenAsync(Valid().WithClaim("aud", new JsonArray(Server.Issuer)).Sign(), "dcr")).Succeeded();

    [Fact]
    [Requirement("R7523-3-08")]
    public async Task Accepts_times_with_a_fraction() =>
        (await Server.PostTokenAsync(Valid().WithClaim("exp", Server.Time.GetUtcNow().ToUnixTimeSeconds() + 30.5).Sign(), "dcr")).Succeeded();

    [Fact]
    [Requirement("R7523-3-04")]
    public async Task Accepts_a_clock_that_is_a_little_off()
    {
        var now = Server.Time.GetUtcNow().ToUnixTimeSeconds();
        (await Server.PostTokenAsync(Valid().WithClaim("iat", now + 8).WithClaim("nbf", now + 8).Sign(), "dcr")).Succeeded();
        (await Server.PostTokenAsync(Valid().WithClaim("exp", now - 8).Sign(), "dcr")).Succeeded();
    }

    [Fact]
    [Requirement("OIDCC-10.1-04")]
    public async Task Accepts_an_assertion_without_kid_when_one_key_fits()
    {
        var elliptic = TestKey.Create("ES256", kid: "a");
        var rsa = TestKey.Create("PS256", kid: "b");
        var client = await Server.OnboardAsync(elliptic, m => m["jwks"] = TestKey.Jwks(elliptic, rsa));
        (await Server.PostTokenAsync(Server.Assertion(elliptic.WithoutKid(), client.ClientId).Sign())).Succeeded();
    }

    [Theory]
    [Requirement("R7518-3.1-01", "R8725-3.2-01", "R8725-3.1-01")]
    [InlineData("none")]
    [InlineData("None")]
    [InlineData("nOnE")]
    [InlineData("es256")]
    [InlineData("HS256")]
    [InlineData("ES256K")]
    [InlineData("EdDSA")]
    [InlineData("")]
    public async Task Rejects_an_algorithm_that_is_not_on_the_list(string alg) =>
        await RefusesAsync(Valid().WithHeader("alg", alg).Sign(), "alg");

    [Fact]
    [Requirement("R8725-3.2-01")]
    public async Task Rejects_none_with_an_empty_signature()
    {
        var signed = Valid().WithHeader("alg", "none").Sign();
        await RefusesAsync(signed[..(signed.LastIndexOf('.') + 1)]);
    }

    [Fact]
    [Requirement("R8725-3.2-01", "R8725-3.1-01")]
    public async Task Rejects_an_HMAC_with_the_public_key_as_secret()
    {
        var assertion = Valid().WithHeader("alg", "HS256");
        var input = $"{Encode(assertion.Header)}.{Encode(assertion.Claims)}";
        var secret = Encoding.UTF8.GetBytes(Server.OnboardingKey.PublicJwk().ToJsonString());
        await RefusesAsync($"{input}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(input)))}");
    }

    [Fact]
    [Requirement("OIDCC-9-03", "R8725-3.1-02")]
    public async Task Rejects_another_algorithm_than_the_registered_one()
    {
        var key = TestKey.Create("PS256");
        var client = await Server.OnboardAsync(key, m => m["token_endpoint_auth_signing_alg"] = "PS256");
        (await Server.PostTokenAsync(Server.Assertion(key.As(alg: "RS256"), client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await Server.PostTokenAsync(Server.Assertion(key, client.ClientId).Sign())).Succeeded();
    }

    [Theory]
    [Requirement("R10070-4-04", "R8725-3.12-01")]
    [InlineData("at+jwt")]
    [InlineData("dpop+jwt")]
    [InlineData("oauth-authz-req+jwt")]
    [InlineData("application/at+jwt")]
    [InlineData("")]
    public async Task Rejects_another_type_of_token(string typ) => await RefusesAsync(Valid().WithHeader("typ", typ).Sign(), "typ");

    [Fact]
    [Requirement("R7515-4.1-01")]
    public async Task Rejects_a_key_that_the_header_brings_along()
    {
        var stranger = TestKey.Create(kid: Server.OnboardingKey.Kid);
        var assertion = Server.Assertion(stranger, DcrServer.OnboardingClient)
            .WithHeader("jwk", stranger.PublicJwk())
            .WithHeader("jku", "https://attacker.example/jwks.json")
            .WithHeader("x5u", "https://attacker.example/cert.pem");
        await RefusesAsync(assertion.Sign());
    }

    [Fact]
    [Requirement("R7515-4.1-01")]
    public async Task Ignores_a_key_in_the_header_when_the_registered_key_signs() =>
        (await Server.PostTokenAsync(Valid().WithHeader("jwk", TestKey.Create().PublicJwk()).Sign(), "dcr")).Succeeded();

    [Fact]
    [Requirement("R7523-3-07", "R8725-3.8-01")]
    public async Task Rejects_an_unknown_kid() => await RefusesAsync(Server.Assertion(Server.OnboardingKey.As(kid: "other"), DcrServer.OnboardingClient).Sign());

    [Fact]
    [Requirement("OIDCC-10.1-04")]
    public async Task Rejects_a_missing_kid_when_two_keys_fit()
    {
        var first = TestKey.Create(kid: "a");
        var client = await Server.OnboardAsync(first, m => m["jwks"] = TestKey.Jwks(first, TestKey.Create(kid: "b")));
        (await Server.PostTokenAsync(Server.Assertion(first.WithoutKid(), client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }

    [Theory]
    [Requirement("R8725-3.10-01")]
    [InlineData("../../etc/passwd")]
    [InlineData("' OR 1=1 --")]
    [InlineData("{\"$ne\":null}")]
    [InlineData("line\nbreak")]
    public async Task Treats_a_kid_as_data(string kid)
    {
        await RefusesAsync(Server.Assertion(Server.OnboardingKey.As(kid: kid), DcrServer.OnboardingClient).Sign());
        Assert.DoesNotContain(Server.Log.Lines, line => line.Contains("line\nbreak", StringComparison.Ordinal));
    }

    [Fact]
    [Requirement("R7523-3-07", "R8725-3.8-01")]
    public async Task Rejects_the_signature_of_another_client()
    {
        var client = await Server.OnboardAsync();
        await RefusesAsync(Server.Assertion(client.Key.As(kid: Server.OnboardingKey.Kid), DcrServer.OnboardingClient).Sign());
    }

    [Fact]
    [Requirement("R7523-3-07")]
    public async Task Rejects_claims_that_were_changed_after_signing()
    {
        var parts = Valid().Sign().Split('.');
        var changed = Valid().WithClaim("exp", Server.Time.GetUtcNow().AddSeconds(90).ToUnixTimeSeconds());
        await RefusesAsync($"{parts[0]}.{Encode(changed.Claims)}.{parts[2]}");
    }

    [Fact]
    [Requirement("R7518-3.4-01")]
    public async Task Rejects_a_signature_in_DER_form()
    {
        var input = Valid();
        var text = $"{Encode(input.Header)}.{Encode(input.Claims)}";
        await RefusesAsync($"{text}.{Base64Url.EncodeToString(new byte[72])}");
        await RefusesAsync($"{text}.{Base64Url.EncodeToString(new byte[64])}");
    }

    [Theory]
    [Requirement("R7523-3-01", "R7523-3-02", "R7521-5.2-01")]
    [InlineData("iss")]
    [InlineData("sub")]
    public async Task Rejects_an_iss_that_is_not_the_sub(string claim)
    {
        await RefusesAsync(Valid().WithClaim(claim, "somebody-else").Sign());
        await RefusesAsync(Valid().Without(claim).Sign());
        await RefusesAsync(Valid().WithClaim(claim, 7).Sign());
    }

    [Fact]
    [Requirement("R7521-4.2.1-01")]
    public async Task Answers_the_same_for_an_unknown_client_a_stopped_client_and_a_wrong_key()
    {
        var client = await Server.OnboardAsync();
        var wrongKey = await Server.PostTokenAsync(Server.Assertion(TestKey.Create(), client.ClientId).Sign());
        var unknown = await Server.PostTokenAsync(Server.Assertion(client.Key, "ffffffffffffffffffffffffffffffff").Sign());
        await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend", await Server.AdminTokenAsync());
        var suspended = await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign());

        wrongKey.Refused(HttpStatusCode.Unauthorized, "invalid_client");
        Assert.Equal(wrongKey.Text, unknown.Text);
        Assert.Equal(wrongKey.Text, suspended.Text);
    }

    [Theory]
    [Requirement("R8725-3.10-01", "R7523-3-02")]
    [InlineData("{\"$where\": \"sleep(1000)\"}")]
    [InlineData("' OR '1'='1")]
    [InlineData("$ne")]
    public async Task Treats_a_client_id_as_data(string clientId) => await RefusesAsync(Server.Assertion(Server.OnboardingKey, clientId).Sign());

    [Theory]
    [Requirement("R7523-3-03", "R7521-5.2-01", "R8725-3.9-01")]
    [InlineData("https://other.example")]
    [InlineData("")]
    public async Task Rejects_another_audience(string audience) => await RefusesAsync(Valid().WithClaim("aud", audience).Sign(), "aud");

    [Fact]
    [Requirement("R7523-3-03", "R10070-4-01")]
    public async Task Rejects_audiences_that_only_resemble_the_issuer()
    {
        await RefusesAsync(Valid().WithClaim("aud", Server.Issuer + "/").Sign(), "aud");
        await RefusesAsync(Valid().WithClaim("aud", Server.Issuer.ToUpperInvariant()).Sign(), "aud");
        await RefusesAsync(Valid().WithClaim("aud", Server.RegistrationEndpoint).Sign(), "aud");
        await RefusesAsync(Valid().Without("aud").Sign(), "aud");
        await RefusesAsync(Valid().WithClaim("aud", 5).Sign(), "aud");
    }

    [Fact]
    [Requirement("R10070-4-01")]
    public async Task Rejects_two_audiences() =>
        await RefusesAsync(Valid().WithClaim("aud", new JsonArray(Server.Issuer, Server.TokenEndpoint)).Sign(), "aud");

    [Theory]
    [Requirement("R7523-3-04", "R7521-5.2-01")]
    [InlineData(-11, "expired")]
    [InlineData(-86400, "expired")]
    [InlineData(3600, "ahead")]
    [InlineData(620, "ahead")]
    public async Task Rejects_an_exp_out_of_range(int secondsFromNow, string why) =>
        await RefusesAsync(Valid().WithClaim("exp", Server.Time.GetUtcNow().ToUnixTimeSeconds() + secondsFromNow).Sign(), why);

    [Fact]
    [Requirement("R7523-3-04")]
    public async Task Rejects_a_missing_exp() => await RefusesAsync(Valid().Without("exp").Sign(), "exp");

    [Theory]
    [Requirement("R7523-3-08")]
    [InlineData("exp")]
    [InlineData("iat")]
    [InlineData("nbf")]
    public async Task Rejects_milliseconds_and_says_so(string claim) =>
        await RefusesAsync(Valid().WithClaim(claim, Server.Time.GetUtcNow().ToUnixTimeMilliseconds()).Sign(), "milliseconds");

    [Theory]
    [Requirement("R7523-3-08")]
    [InlineData("\"soon\"")]
    [InlineData("-1")]
    [InlineData("1e999")]
    [InlineData("true")]
    [InlineData("null")]
    [InlineData("[]")]
    public async Task Rejects_an_exp_that_is_no_time(string json)
    {
        var claims = Valid().Claims;
        claims.Remove("exp");
        var text = claims.ToJsonString()[..^1] + $",\"exp\":{json}}}";
        await RefusesAsync(AssertionScenario.Sign(Server.OnboardingKey, Encoding.UTF8.GetBytes(Valid().Header.ToJsonString()), Encoding.UTF8.GetBytes(text)), "exp");
    }

    [Fact]
    [Requirement("R7523-3-08")]
    public async Task Takes_null_for_a_time_that_was_left_out() =>
        (await Server.PostTokenAsync(Valid().WithClaim("iat", null).WithClaim("nbf", null).Sign(), "dcr")).Succeeded();

    [Theory]
    [Requirement("R7523-3-05", "R7523-3-06")]
    [InlineData("iat")]
    [InlineData("nbf")]
    public async Task Rejects_a_time_in_the_future(string claim) =>
        await RefusesAsync(Valid().WithClaim(claim, Server.Time.GetUtcNow().ToUnixTimeSeconds() + 60).Sign(), "future");

    [Fact]
    [Requirement("OIDCC-9-01")]
    public async Task Rejects_a_missing_or_overlong_jti()
    {
        await RefusesAsync(Valid().Without("jti").Sign(), "jti");
        await RefusesAsync(Valid().WithClaim("jti", "").Sign(), "jti");
        await RefusesAsync(Valid().WithClaim("jti", new string('x', 257)).Sign(), "jti");
        await RefusesAsync(Valid().WithClaim("jti", 5).Sign());
    }

    [Fact]
    [Requirement("OIDCC-9-01")]
    public async Task Rejects_a_used_jti()
    {
        var assertion = Valid().Sign();
        (await Server.PostTokenAsync(assertion, "dcr")).Succeeded();
        await RefusesAsync(assertion, "used before");
        await RefusesAsync(Valid().WithClaim("jti", JsonNode.Parse(Base64Url.DecodeFromChars(assertion.Split('.')[1]))!["jti"]!.GetValue<string>()).Sign(), "used before");
    }

    [Fact]
    [Requirement("OIDCC-9-01", "P-REPLAY")]
    public async Task Accepts_one_of_fifty_parallel_uses_of_an_assertion()
    {
        var assertion = Valid().Sign();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Server.PostTokenAsync(assertion, "dcr")));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer => answer.Refused(HttpStatusCode.Unauthorized, "invalid_client"));
    }

    [Fact]
    [Requirement("OIDCC-9-01")]
    public async Task A_refused_assertion_uses_nothing_up()
    {
        var client = await Server.OnboardAsync();
        var admin = await Server.AdminTokenAsync();
        var assertion = Server.Assertion(client.Key, client.ClientId).Sign();
        await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend", admin);
        (await Server.PostTokenAsync(assertion)).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/resume", admin);
        (await Server.PostTokenAsync(assertion)).Succeeded();
    }

    [Fact]
    [Requirement("OIDCC-9-01")]
    public async Task Two_clients_may_use_the_same_jti()
    {
        var jti = Guid.NewGuid().ToString();
        var one = await Server.OnboardAsync();
        var other = await Server.OnboardAsync();
        (await Server.PostTokenAsync(Server.Assertion(one.Key, one.ClientId).WithClaim("jti", jti).Sign())).Succeeded();
        (await Server.PostTokenAsync(Server.Assertion(other.Key, other.ClientId).WithClaim("jti", jti).Sign())).Succeeded();
    }

    [Fact]
    [Requirement("P-JWT")]
    public async Task Rejects_an_assertion_of_nine_kibibytes() => await RefusesAsync(Valid().WithClaim("padding", new string('x', 9 * 1024)).Sign(), "longer");

    [Fact]
    [Requirement("R7515-2-01", "R8725-3.14-01", "R8725-3.15-01")]
    public async Task Rejects_what_is_not_three_base64url_parts()
    {
        var good = Valid().Sign();
        await RefusesAsync(good[..good.LastIndexOf('.')], "three parts");
        await RefusesAsync(good + ".AAAA.AAAA", "three parts");
        await RefusesAsync(good + "\n", "base64url");
        await RefusesAsync(good + "==", "base64url");
        await RefusesAsync(" " + good, "base64url");
        await RefusesAsync(good + "!", "base64url");
        await RefusesAsync("..");
        await RefusesAsync("not a token");
    }

    [Fact]
    [Requirement("R7515-2-01")]
    public async Task Rejects_trailing_bytes_in_the_signature()
    {
        var parts = Valid().Sign().Split('.');
        await RefusesAsync($"{parts[0]}.{parts[1]}.{Base64Url.EncodeToString([.. Base64Url.DecodeFromChars(parts[2]), 0])}");
    }

    [Theory]
    [Requirement("R7515-4.1.11-01")]
    [InlineData("[\"exp\"]")]
    [InlineData("[]")]
    [InlineData("[\"b64\"]")]
    [InlineData("\"x\"")]
    public async Task Rejects_crit(string crit) => await RefusesAsync(Valid().WithHeader("crit", JsonNode.Parse(crit)).WithHeader("exp", 1).Sign(), "crit");

    [Fact]
    [Requirement("R7515-4.1.11-01")]
    public async Task Rejects_an_unencoded_payload() => await RefusesAsync(Valid().WithHeader("b64", false).Sign(), "b64");

    [Fact]
    [Requirement("R7515-4-01")]
    public async Task Rejects_members_named_twice()
    {
        var header = Encoding.UTF8.GetBytes(Valid().Header.ToJsonString());
        var claims = Encoding.UTF8.GetBytes(Valid().Claims.ToJsonString());
        await RefusesAsync(AssertionScenario.Sign(Server.OnboardingKey, [.. header[..^1], .. ",\"alg\":\"ES256\"}"u8], claims), "once");
        await RefusesAsync(AssertionScenario.Sign(Server.OnboardingKey, header, [.. claims[..^1], .. ",\"exp\":9999999999}"u8]), "once");
    }

    [Fact]
    [Requirement("R8725-3.7-01")]
    public async Task Rejects_what_is_not_Unicode()
    {
        var header = Encoding.UTF8.GetBytes(Valid().Header.ToJsonString());
        var claims = Encoding.UTF8.GetBytes(Valid().Claims.ToJsonString());
        await RefusesAsync(AssertionScenario.Sign(Server.OnboardingKey, header, [.. claims[..^1], .. ",\"x\":\""u8, 0xff, 0xfe, .. "\"}"u8]), "UTF-8");
        await RefusesAsync(AssertionScenario.Sign(Server.OnboardingKey, header, Encoding.UTF8.GetBytes("{\"jti\":\"\\ud800\",\"iss\":\"x\",\"sub\":\"x\"}")));
        await RefusesAsync(AssertionScenario.Sign(Server.OnboardingKey, header, "[]"u8.ToArray()));
        await RefusesAsync(AssertionScenario.Sign(Server.OnboardingKey, header, "not json"u8.ToArray()));
    }

    [Fact]
    [Requirement("R8725-3.12-01")]
    public async Task Rejects_an_access_token_as_assertion() => await RefusesAsync(await Server.InitialAccessTokenAsync());

    [Fact]
    [Requirement("R6749-2.3-01", "OIDCC-9-02")]
    public async Task Rejects_two_ways_of_authenticating()
    {
        var withSecret = Requests.TokenForm(Valid().Sign(), "dcr");
        withSecret["client_secret"] = "secret";
        (await Server.PostTokenAsync(withSecret)).Refused(HttpStatusCode.BadRequest, "invalid_request", "one way");
    }

    [Fact]
    [Requirement("OIDCC-9-02", "R6749-5.2-01")]
    public async Task Rejects_a_secret_in_place_of_an_assertion()
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["client_id"] = DcrServer.OnboardingClient, ["client_secret"] = "secret" };
        (await Server.PostTokenAsync(form)).Refused(HttpStatusCode.Unauthorized, "invalid_client", "client_assertion");
    }

    [Fact]
    [Requirement("OIDCC-9-02", "R6749-5.2-01")]
    public async Task Answers_a_Basic_header_with_a_Basic_challenge()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Server.TokenEndpoint)
        {
            Content = new FormUrlEncodedContent([KeyValuePair.Create("grant_type", "client_credentials")]),
        };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String("partner-directory:secret"u8));
        var answer = await Answer.ReadAsync(await Server.Http.SendAsync(request, Cancellation));
        answer.Refused(HttpStatusCode.Unauthorized, "invalid_client");
        Assert.Equal("Basic", Assert.Single(answer.Response.Headers.WwwAuthenticate).Scheme);
    }

    [Fact]
    [Requirement("R6749-5.2-01")]
    public async Task Says_the_reason_in_the_challenge_as_in_the_body()
    {
        var answer = (await Server.PostTokenAsync(Valid().WithClaim("sub", "somebody-else").Sign(), "dcr")).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        var challenge = Assert.Single(answer.Response.Headers.WwwAuthenticate);
        Assert.Equal("private_key_jwt", challenge.Scheme);
        Assert.EndsWith($", error=\"invalid_client\", error_description=\"{answer.Description}\"", challenge.Parameter, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("R7521-4.2-02")]
    public async Task Rejects_a_client_id_that_is_not_the_sub()
    {
        var form = Requests.TokenForm(Valid().Sign(), "dcr");
        form["client_id"] = "somebody-else";
        (await Server.PostTokenAsync(form)).Refused(HttpStatusCode.Unauthorized, "invalid_client", "client_id");
    }

    [Fact]
    [Requirement("R7521-4.2-01", "R7523-2.2-01")]
    public async Task Rejects_a_missing_or_wrong_assertion_type()
    {
        var form = Requests.TokenForm(Valid().Sign(), "dcr");
        form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer";
        (await Server.PostTokenAsync(form)).Refused(HttpStatusCode.Unauthorized, "invalid_client", "client_assertion_type");
        form.Remove("client_assertion_type");
        (await Server.PostTokenAsync(form)).Refused(HttpStatusCode.Unauthorized, "invalid_client", "client_assertion_type");
        form["client_assertion_type"] = Requests.JwtBearer;
        form.Remove("client_assertion");
        (await Server.PostTokenAsync(form)).Refused(HttpStatusCode.Unauthorized, "invalid_client", "client_assertion");
    }

    [Fact]
    [Requirement("R7591-5-04")]
    public async Task Rejects_a_client_id_alone()
    {
        var form = new Dictionary<string, string> { ["grant_type"] = "client_credentials", ["client_id"] = DcrServer.OnboardingClient };
        (await Server.PostTokenAsync(form)).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}

public sealed class ClientAssertionTestsOnSqlite(SqliteServer server) : ClientAssertionTests(server), IClassFixture<SqliteServer>;

public sealed class ClientAssertionTestsOnMongoDb(MongoDbServer server) : ClientAssertionTests(server), IClassFixture<MongoDbServer>;
