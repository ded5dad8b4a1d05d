using System.Buffers.Text;
using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>DPoP proofs and the tokens that are bound by them: RFC 9449 sections 4, 5 and 7.</summary>
public abstract class DpopTests(DcrServer server) : ServerTests(server)
{
    private static readonly Dictionary<string, (Func<JwtScenario, DateTimeOffset, string> Make, string Says)> s_wrongProofs = new()
    {
        ["no typ"] = ((proof, _) => proof.Without("typ").Sign(), "typ"),
        ["another typ"] = ((proof, _) => proof.WithHeader("typ", "jwt").Sign(), "typ"),
        ["alg none"] = ((proof, _) => proof.WithHeader("alg", "none").Sign(), "alg"),
        ["alg none without signature"] = ((proof, _) => WithoutSignature(proof.WithHeader("alg", "none").Sign()), "malformed"),
        ["alg HS256"] = ((proof, _) => proof.WithHeader("alg", "HS256").Sign(), "alg"),
        ["another alg than the key's"] = ((proof, _) => proof.WithHeader("alg", "ES384").Sign(), "not signed by"),
        ["crit"] = ((proof, _) => proof.WithHeader("crit", new JsonArray("exp")).Sign(), "crit"),
        ["no jwk"] = ((proof, _) => proof.Without("jwk").Sign(), "no jwk"),
        ["a jwk that is text"] = ((proof, _) => proof.WithHeader("jwk", "key").Sign(), "jwk"),
        ["the private jwk"] = ((proof, _) => proof.WithHeader("jwk", TestKey.Create().PrivateJwk()).Sign(), "private"),
        ["a symmetric jwk"] = ((proof, _) => proof.WithHeader("jwk", new JsonObject { ["kty"] = "oct", ["k"] = "c2VjcmV0" }).Sign(), "private"),
        ["a jwk for encryption"] = ((proof, _) => proof.WithHeader("jwk", Jwk(proof, "use", "enc")).Sign(), "no signing key"),
        ["a jwk whose kid is no Unicode"] = ((proof, _) => proof.WithHeader("jwk", Jwk(proof, "kid", "HALF")).Sign(Break), "jwk"),
        ["the jwk of somebody else"] = ((proof, _) => proof.SignWith(TestKey.Create()), "not signed by"),
        ["another method"] = ((proof, _) => proof.WithClaim("htm", "GET").Sign(), "htm"),
        ["the method in lower case"] = ((proof, _) => proof.WithClaim("htm", "post").Sign(), "htm"),
        ["no method"] = ((proof, _) => proof.Without("htm").Sign(), "htm"),
        ["another path"] = ((proof, _) => proof.WithClaim("htu", proof.Claims["htu"] + "/other").Sign(), "htu"),
        ["another host"] = ((proof, _) => proof.WithClaim("htu", "https://other.example/oauth/token").Sign(), "htu"),
        ["another scheme"] = ((proof, _) => proof.WithClaim("htu", Htu(proof).Replace("http:", "https:", StringComparison.Ordinal)).Sign(), "htu"),
        ["another port"] = ((proof, _) => proof.WithClaim("htu", new UriBuilder(Htu(proof)) { Port = 1 }.ToString()).Sign(), "htu"),
        ["a relative URL"] = ((proof, _) => proof.WithClaim("htu", new Uri(Htu(proof)).AbsolutePath).Sign(), "htu"),
        ["a URL of another kind"] = ((proof, _) => proof.WithClaim("htu", "mailto:a@b.example").Sign(), "htu"),
        ["a URL that is no text"] = ((proof, _) => proof.WithClaim("htu", 7).Sign(), "htu"),
        ["no URL"] = ((proof, _) => proof.Without("htu").Sign(), "htu"),
        ["no time"] = ((proof, _) => proof.Without("iat").Sign(), "iat"),
        ["a time that is no number"] = ((proof, _) => proof.WithClaim("iat", "now").Sign(), "iat"),
        ["milliseconds"] = ((proof, now) => proof.WithClaim("iat", now.ToUnixTimeMilliseconds()).Sign(), "milliseconds"),
        ["made too long ago"] = ((proof, now) => proof.WithClaim("iat", now.AddSeconds(-71).ToUnixTimeSeconds()).Sign(), "ago"),
        ["made in the future"] = ((proof, now) => proof.WithClaim("iat", now.AddSeconds(12).ToUnixTimeSeconds()).Sign(), "future"),
        ["no jti"] = ((proof, _) => proof.Without("jti").Sign(), "jti"),
        ["an empty jti"] = ((proof, _) => proof.WithClaim("jti", "").Sign(), "jti"),
        ["an endless jti"] = ((proof, _) => proof.WithClaim("jti", new string('j', 257)).Sign(), "jti"),
        ["no JWT"] = ((_, _) => "proof", "malformed"),
        ["two proofs in one header"] = ((proof, _) => $"{proof.Sign()}, {proof.Sign()}", "malformed"),
    };

    public static TheoryData<string> WrongProofs => [.. s_wrongProofs.Keys];

    [Theory]
    [Requirement("R9449-4.3-01", "R9449-4.3-02", "R9449-7.1-01")]
    [MemberData(nameof(WrongProofs))]
    public async Task Rejects_a_wrong_proof_at_every_endpoint(string what)
    {
        var (make, says) = s_wrongProofs[what];
        var key = TestKey.Create();
        (await Server.PostInitialTokenAsync(DcrServer.OnboardingClient, make(Server.TokenProof(key), Server.Time.GetUtcNow())))
            .Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", says);

        var token = await Server.BoundTokenAsync(key);
        var refused = await Server.RegisterWithAsync($"DPoP {token}", Requests.Metadata(key), make(Server.RegistrationProof(key, token), Server.Time.GetUtcNow()));
        refused.Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof", says);
        AssertChallenge(refused, "invalid_dpop_proof");

        // Nothing was used up.
        (await Server.RegisterBoundAsync(key, token, Requests.Metadata(key))).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("R9449-4.3-01")]
    public async Task Rejects_two_headers()
    {
        var key = TestKey.Create();
        var form = new FormUrlEncodedContent(Requests.TokenForm(Server.Assertion(Server.OnboardingKey, DcrServer.OnboardingClient).Sign(), "dcr"));
        (await Server.PostRawAsync(Server.Path("/oauth/token"), form, (DpopScenario.Header, Server.TokenProof(key).Sign()), (DpopScenario.Header, Server.TokenProof(key).Sign())))
            .Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "one DPoP header");
        var token = await Server.BoundTokenAsync(key);
        Task<Answer> RegisterAsync(params string[] proofs) => Server.PostRawAsync(
            Server.Path("/oauth/register"), DpopScenario.Json(Requests.Metadata(key)), [("Authorization", $"DPoP {token}"), .. proofs.Select(proof => (DpopScenario.Header, proof))]);
        (await RegisterAsync(Server.RegistrationProof(key, token).Sign(), Server.RegistrationProof(key, token).Sign()))
            .Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof", "one DPoP header");
        (await RegisterAsync(Server.RegistrationProof(key, token).Sign(), "")).Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof", "one DPoP header");
        (await RegisterAsync()).Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof", "missing");
        (await RegisterAsync(Server.RegistrationProof(key, token).Sign())).Succeeded(HttpStatusCode.Created);
    }

    [Theory]
    [Requirement("R9449-5-01")]
    [InlineData("ES256")]
    [InlineData("ES384")]
    [InlineData("PS256")]
    [InlineData("RS256")]
    public async Task Binds_the_token_to_the_key_of_the_proof(string alg)
    {
        var key = TestKey.Create(alg);
        var answer = (await Server.PostInitialTokenAsync(DcrServer.OnboardingClient, Server.TokenProof(key).Sign())).Succeeded();
        Assert.Equal("DPoP", answer["token_type"]);
        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(answer["access_token"].Split('.')[1]))!;
        Assert.Equal(key.Thumbprint(), claims["cnf"]!["jkt"]!.GetValue<string>());
        (await Server.RegisterBoundAsync(key, answer["access_token"], Requests.Metadata(TestKey.Create()))).Succeeded(HttpStatusCode.Created);

        var unbound = (await Server.PostInitialTokenAsync(DcrServer.OnboardingClient)).Succeeded();
        Assert.Equal("Bearer", unbound["token_type"]);
        Assert.Null(JsonNode.Parse(Base64Url.DecodeFromChars(unbound["access_token"].Split('.')[1]))!["cnf"]);
    }

    [Fact]
    [Requirement("R9449-5-01")]
    public async Task Binds_the_tokens_of_every_client()
    {
        var client = await Server.OnboardAsync();
        var form = Requests.TokenForm(Server.Assertion(client.Key, client.ClientId).Sign());
        Assert.Equal("DPoP", (await Server.PostTokenAsync(form, (DpopScenario.Header, Server.TokenProof(client.Key).Sign()))).Succeeded()["token_type"]);
    }

    [Fact]
    [Requirement("R9449-4.3-02")]
    public async Task Accepts_the_URL_however_it_is_written()
    {
        foreach (var url in new[]
        {
            Server.TokenEndpoint + "?a=b#c",
            Server.TokenEndpoint.Replace("http:", "HTTP:", StringComparison.Ordinal),
            Server.TokenEndpoint.Replace("/oauth/", "/oauth/./x/../", StringComparison.Ordinal),
            Server.TokenEndpoint.Replace("token", "%74oken", StringComparison.Ordinal),
        })
        {
            (await Server.PostInitialTokenAsync(DcrServer.OnboardingClient, Server.TokenProof(TestKey.Create()).WithClaim("htu", url).Sign())).Succeeded();
        }
    }

    [Fact]
    [Requirement("R9449-4.3-02")]
    public async Task Accepts_a_clock_that_is_a_little_off()
    {
        foreach (var seconds in new[] { -69, 9, 0.5 })
        {
            var proof = Server.TokenProof(TestKey.Create()).WithClaim("iat", Server.Time.GetUtcNow().ToUnixTimeSeconds() + seconds);
            (await Server.PostInitialTokenAsync(DcrServer.OnboardingClient, proof.Sign())).Succeeded();
        }
    }

    [Fact]
    [Requirement("R9449-4.3-01", "R9449-4.3-04")]
    public async Task Ignores_what_it_does_not_know()
    {
        var proof = Server.TokenProof(TestKey.Create())
            .WithHeader("typ", "application/DPoP+jwt").WithHeader("x5u", "https://other.example/").WithHeader("kid", "other")
            .WithClaim("nonce", "never given").WithClaim("aud", "https://other.example").WithClaim("custom", new JsonObject { ["a"] = 1 });
        (await Server.PostInitialTokenAsync(DcrServer.OnboardingClient, proof.Sign())).Succeeded();
    }

    [Fact]
    [Requirement("R9449-4.3-02")]
    public async Task Rejects_a_proof_that_was_used_before()
    {
        var key = TestKey.Create();
        var proof = Server.TokenProof(key);
        (await Server.PostInitialTokenAsync(DcrServer.OnboardingClient, proof.Sign())).Succeeded();
        (await Server.PostInitialTokenAsync(DcrServer.OnboardingClient, proof.Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "used before");
        // The same jti for another request.
        var token = await Server.BoundTokenAsync(key);
        var again = Server.RegistrationProof(key, token).WithClaim("jti", proof.Claims["jti"]!.GetValue<string>()).Sign();
        (await Server.RegisterWithAsync($"DPoP {token}", Requests.Metadata(key), again)).Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof", "used before");
        // By another key it is another proof.
        var other = TestKey.Create();
        (await Server.PostInitialTokenAsync(DcrServer.OnboardingClient, Server.TokenProof(other).WithClaim("jti", proof.Claims["jti"]!.GetValue<string>()).Sign())).Succeeded();
        Server.Time.Advance(TimeSpan.FromSeconds(69));
        (await Server.PostInitialTokenAsync(DcrServer.OnboardingClient, proof.Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "used before");
        Server.Time.Advance(TimeSpan.FromSeconds(3));
        (await Server.PostInitialTokenAsync(DcrServer.OnboardingClient, proof.Sign())).Refused(HttpStatusCode.BadRequest, "invalid_dpop_proof", "ago");
    }

    [Fact]
    [Requirement("R9449-4.3-02")]
    public async Task A_proof_that_is_sent_many_times_at_once_is_good_once()
    {
        var proof = Server.TokenProof(TestKey.Create()).Sign();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Server.PostInitialTokenAsync(DcrServer.OnboardingClient, proof)));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
    }

    [Fact]
    [Requirement("R9449-7-01", "R9449-7.1-01")]
    public async Task Rejects_a_bound_token_as_Bearer_and_an_unbound_one_as_DPoP()
    {
        var key = TestKey.Create();
        var bound = await Server.BoundTokenAsync(key);
        foreach (var refused in new[]
        {
            await Server.RegisterWithAsync($"Bearer {bound}", Requests.Metadata(key)),
            await Server.RegisterWithAsync($"Bearer {bound}", Requests.Metadata(key), Server.RegistrationProof(key, bound).Sign()),
        })
        {
            refused.Refused(HttpStatusCode.Unauthorized, "invalid_token", "bound to a key");
            AssertChallenge(refused, "invalid_token");
        }
        var unbound = await Server.InitialAccessTokenAsync();
        (await Server.RegisterWithAsync($"DPoP {unbound}", Requests.Metadata(key), Server.RegistrationProof(key, unbound).Sign()))
            .Refused(HttpStatusCode.Unauthorized, "invalid_token", "no key");
        (await Server.RegisterWithAsync($"dpop {bound}", Requests.Metadata(key), Server.RegistrationProof(key, bound).Sign())).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("R9449-4.3-03")]
    public async Task Rejects_a_proof_that_is_not_for_the_token_or_not_by_its_key()
    {
        var key = TestKey.Create();
        var token = await Server.BoundTokenAsync(key);
        Task<Answer> RegisterAsync(JwtScenario proof) => Server.RegisterWithAsync($"DPoP {token}", Requests.Metadata(key), proof.Sign());
        (await RegisterAsync(Server.RegistrationProof(key))).Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof", "ath");
        (await RegisterAsync(Server.RegistrationProof(key, await Server.BoundTokenAsync(key)))).Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof", "ath");
        var refused = await RegisterAsync(Server.RegistrationProof(TestKey.Create(), token));
        refused.Refused(HttpStatusCode.Unauthorized, "invalid_dpop_proof", "another key");
        AssertChallenge(refused, "invalid_dpop_proof");
        (await RegisterAsync(Server.RegistrationProof(key, token))).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("R9449-7.1-01")]
    public async Task Challenges_with_DPoP_whoever_sent_a_token_that_way()
    {
        var key = TestKey.Create();
        var token = await Server.BoundTokenAsync(key);
        (await Server.RegisterBoundAsync(key, token, Requests.Metadata(key))).Succeeded(HttpStatusCode.Created);
        var used = await Server.RegisterBoundAsync(key, token, Requests.Metadata(key));
        used.Refused(HttpStatusCode.Unauthorized, "invalid_token", "has been used");
        AssertChallenge(used, "invalid_token");
        AssertChallenge((await Server.RegisterWithAsync("DPoP nonsense", Requests.Metadata(key))).Refused(HttpStatusCode.Unauthorized, "invalid_token"), "invalid_token");
    }

    [Fact]
    [Requirement("R9449-7-01", "R9449-4.3-03")]
    public async Task Binds_the_tokens_of_administrators_too()
    {
        var key = TestKey.Create();
        var form = Requests.TokenForm(Server.Assertion(Server.AdminKey, DcrServer.Admin).Sign(), "dcr.admin");
        var token = (await Server.PostTokenAsync(form, (DpopScenario.Header, Server.TokenProof(key).Sign()))).Succeeded()["access_token"];
        var path = Server.Path("/admin/v1/clients");
        (await Server.GetAsync(path, token)).Refused(HttpStatusCode.Unauthorized, "invalid_token", "bound");
        var proof = Server.Proof(key, HttpMethod.Get, Server.Issuer + "/admin/v1/clients", token).Sign();
        (await Server.SendAsync(HttpMethod.Get, path + "?limit=1", $"DPoP {token}", null, (DpopScenario.Header, proof))).Succeeded();
        // A good proof gives no right that the token has not.
        var refused = await Server.RegisterBoundAsync(key, token, Requests.Metadata(key));
        refused.Refused(HttpStatusCode.Forbidden, "insufficient_scope");
        AssertChallenge(refused, "insufficient_scope");
    }

    private static void AssertChallenge(Answer refused, string error)
    {
        var challenge = Assert.Single(refused.Response.Headers.WwwAuthenticate);
        Assert.Equal("DPoP", challenge.Scheme);
        Assert.Contains($"error=\"{error}\"", challenge.Parameter, StringComparison.Ordinal);
        Assert.Contains("algs=\"PS256 PS384 PS512 ES256 ES384 ES512 RS256 RS384 RS512\"", challenge.Parameter, StringComparison.Ordinal);
    }

    private static string Htu(JwtScenario proof) => proof.Claims["htu"]!.GetValue<string>();

    private static string WithoutSignature(string jwt) => jwt[..(jwt.LastIndexOf('.') + 1)];

    private static JsonObject Jwk(JwtScenario proof, string member, string value)
    {
        var jwk = proof.Header["jwk"]!.DeepClone().AsObject();
        jwk[member] = value;
        return jwk;
    }

    // Only as an escape can half a character be sent.
    private static string Break(string json) => json.Replace("HALF", "\\ud800", StringComparison.Ordinal);
}

public sealed class DpopTestsOnSqlite(SqliteServer server) : DpopTests(server), IClassFixture<SqliteServer>;

public sealed class DpopTestsOnMongoDb(MongoDbServer server) : DpopTests(server), IClassFixture<MongoDbServer>;
