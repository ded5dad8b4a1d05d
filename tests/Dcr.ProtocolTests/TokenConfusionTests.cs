using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>
/// RFC 8725 sections 3.11 and 3.12: no kind of token passes for another. One party has one key, and with it is client, attester, device,
/// issuer of software statements and holder of a hosted key, so that nothing but the kind can keep the tokens apart.
/// </summary>
public abstract class TokenConfusionTests(DcrServer server) : ServerTests(server)
{
    private const string Assertion = "client assertion";
    private const string Dpop = "DPoP proof";
    private const string Attestation = "client attestation";
    private const string AttestationProof = "proof of an attested key";
    private const string KeyProof = "key proof";
    private const string Statement = "software statement";

    public static readonly TheoryData<string> SignedByClients = [Assertion, Dpop, Attestation, AttestationProof, KeyProof, Statement];

    /// <summary>Types of JWT that are registered or come from here, each of one kind.</summary>
    private static readonly string[] s_types =
    [
        "at+jwt", "dpop+jwt", "client-authentication+jwt", "oauth-client-attestation+jwt", "oauth-client-attestation-pop+jwt", "key-proof+jwt",
        "logout+jwt", "secevent+jwt", "token-introspection+jwt", "statuslist+jwt", "oauth-authz-req+jwt", "entity-statement+jwt", "application/at+jwt", "AT+JWT", "jose", "",
    ];

    private readonly string _party = $"party-{Guid.NewGuid():N}";
    private readonly TestKey _new = TestKey.Create(kid: "new");
    private OnboardedClient? _hosted;

    private TestKey Key => Server.OnboardingKey;

    /// <summary>The party, and a client of it whose key is the party's, in a hosted set.</summary>
    private async Task PrepareAsync()
    {
        JsonObject Trusted(string issuer) => new() { ["issuer"] = issuer, ["jwks"] = TestKey.Jwks(Key) };
        var policy = Devices.Attested("optional", Devices.WithJwks(Key));
        policy["software_statement"] = new JsonObject { ["mode"] = "optional", ["issuers"] = new JsonArray(Trusted("https://directory.example"), Trusted(_party)) };
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", OnboardingRequests.OnboardingEntry(Key, policy, _party))).Succeeded(HttpStatusCode.Created);

        var set = (await Server.AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created);
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys", Key.PublicJwk())).Succeeded(HttpStatusCode.Created);
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys/{Key.Kid}/activate")).Succeeded();
        var metadata = Requests.Metadata(Key);
        metadata.Remove("jwks");
        metadata["jwks_uri"] = set["jwks_uri"];
        _hosted = OnboardedClient.Of((await Server.RegisterAsync(await Server.InitialAccessTokenAsync(_party), metadata)).Succeeded(HttpStatusCode.Created), Key);
    }

    private string KeysUrl => _hosted!.RegistrationClientUri + "/keys";

    /// <summary>A valid one, new each time.</summary>
    private JwtScenario Make(string kind) => kind switch
    {
        Assertion => Of(Server.Assertion(Key, _party)),
        Dpop => Server.TokenProof(Key),
        Attestation => Server.AttestationOf(Key, Key, _party),
        AttestationProof => Server.AttestationProofBy(Key),
        KeyProof => Of(new AssertionScenario(Key, _hosted!.ClientId, KeysUrl, Server.Time.GetUtcNow())
            .WithHeader("typ", "key-proof+jwt").WithClaim("sub", _new.Thumbprint())),
        Statement => new JwtScenario(
            Key,
            new JsonObject { ["alg"] = Key.Alg, ["kid"] = Key.Kid },
            new JsonObject { ["iss"] = "https://directory.example", ["software_id"] = "the-app" }),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    private JwtScenario Of(AssertionScenario assertion) => new(Key, assertion.Header, assertion.Claims);

    /// <summary>A request that is good if <paramref name="token"/> is what has this place in it.</summary>
    private async Task<Answer> SendAsync(string place, string token) => place switch
    {
        Assertion => await Server.PostTokenAsync(token, "dcr"),
        Dpop => await Server.PostTokenAsync(Requests.TokenForm(Make(Assertion).Sign(), "dcr"), (DpopScenario.Header, token)),
        Attestation => await Server.PostTokenAsync(Devices.AttestedForm(), (Devices.Attestation, token), (Devices.AttestationProof, Make(AttestationProof).Sign())),
        AttestationProof => await Server.PostTokenAsync(Devices.AttestedForm(), (Devices.Attestation, Make(Attestation).Sign()), (Devices.AttestationProof, token)),
        KeyProof => await Server.SendAsync(
            HttpMethod.Post, _hosted!.Path + "/keys", _hosted.RegistrationAccessToken, new JsonObject { ["jwk"] = _new.PublicJwk(), ["proof"] = token }),
        Statement => await Server.RegisterAsync(await Server.InitialAccessTokenAsync(_party), Stated(token)),
        _ => throw new ArgumentOutOfRangeException(nameof(place), place, null),
    };

    private static JsonObject Stated(string statement)
    {
        var metadata = Requests.Metadata(TestKey.Create());
        metadata["software_statement"] = statement;
        return metadata;
    }

    private static void Refused(Answer answer, string what)
    {
        Assert.True(answer.Status is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden, $"{what}: {(int)answer.Status} {answer.Text}");
        Assert.NotNull(answer.Error);
    }

    private async Task<(string Kind, string Token)[]> OfServerAsync()
    {
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        var introspection = await Server.PostFormAsync("/oauth/introspect", Server.TokenQuery(token, Server.ApiKey, DcrServer.Api), "application/token-introspection+jwt");
        var list = new Uri(TokenQueries.Claims(token)["status"]!["status_list"]!["uri"]!.GetValue<string>()).AbsolutePath;
        return
        [
            ("access token for an API", token),
            ("initial access token", await Server.InitialAccessTokenAsync(_party)),
            ("administrator's access token", await Server.AdminTokenAsync()),
            ("registration access token", client.RegistrationAccessToken),
            ("introspection answer", introspection.Text),
            ("status list", (await Server.GetAsync(list)).Text),
        ];
    }

    [Theory]
    [MemberData(nameof(SignedByClients))]
    [Requirement("R8725-3.11-02", "R8725-3.12-01", "R10070-4-04")]
    public async Task Rejects_every_other_kind_of_token_in_the_place_of_one(string place)
    {
        await PrepareAsync();
        foreach (var kind in SignedByClients.Select(row => row.Data).Where(kind => kind != place))
        {
            Refused(await SendAsync(place, Make(kind).Sign()), $"{kind} as {place}");
        }
        foreach (var (kind, token) in await OfServerAsync())
        {
            Refused(await SendAsync(place, token), $"{kind} as {place}");
        }
        Good(await SendAsync(place, Make(place).Sign()));
    }

    /// <summary>All that is asked of the place is in it, but for the type.</summary>
    [Theory]
    [MemberData(nameof(SignedByClients))]
    [Requirement("R8725-3.11-02", "R10070-4-04")]
    public async Task Rejects_what_says_that_it_is_of_another_kind_whatever_else_it_says(string place)
    {
        await PrepareAsync();
        var own = Make(place).Header["typ"]?.GetValue<string>();
        foreach (var type in s_types.Where(type => type != own))
        {
            Refused(await SendAsync(place, Make(place).WithHeader("typ", type).Sign()), $"typ '{type}' as {place}");
        }
        Good(await SendAsync(place, Make(place).Sign()));
    }

    [Theory]
    [InlineData(Dpop)]
    [InlineData(Attestation)]
    [InlineData(AttestationProof)]
    [InlineData(KeyProof)]
    [Requirement("R8725-3.11-02")]
    public async Task Rejects_a_JWT_without_a_type_of_its_own_where_there_is_one(string place)
    {
        await PrepareAsync();
        Refused(await SendAsync(place, Make(place).Without("typ").Sign()), place);
        Refused(await SendAsync(place, Make(place).WithHeader("typ", "JWT").Sign()), place);
    }

    /// <summary>The two kinds that may come without a type: an assertion is about its issuer, and a statement is not.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("JWT")]
    [Requirement("R8725-3.12-01")]
    public async Task Rejects_an_assertion_as_a_statement_and_a_statement_as_an_assertion_though_neither_has_a_type(string? type)
    {
        await PrepareAsync();
        JwtScenario Typed(JwtScenario scenario) => type is null ? scenario.Without("typ") : scenario.WithHeader("typ", type);
        Refused(await SendAsync(Statement, Typed(Make(Assertion)).Sign()), "assertion as statement");
        Refused(await SendAsync(Statement, Typed(Make(Assertion)).WithClaim("software_id", "the-app").Sign()), "assertion with software_id as statement");
        var statement = Typed(Make(Statement)).WithClaim("aud", Server.Issuer).WithClaim("jti", "1").WithClaim("exp", Server.Time.GetUtcNow().AddMinutes(1).ToUnixTimeSeconds());
        Refused(await SendAsync(Assertion, statement.Sign()), "statement as assertion");
        Refused(await SendAsync(Assertion, statement.WithClaim("iss", _party).WithClaim("sub", "the-app").Sign()), "statement with sub as assertion");
        Good(await SendAsync(Statement, Typed(Make(Statement)).Sign()));
        Good(await SendAsync(Assertion, Typed(Make(Assertion)).Sign()));
    }

    [Theory]
    [InlineData(Attestation)]
    [InlineData(Statement)]
    [Requirement("R8725-3.9-01", "R8725-3.11-02")]
    public async Task Rejects_what_is_addressed_to_others(string place)
    {
        await PrepareAsync();
        JsonNode?[] foreign = ["https://other.example", Server.TokenEndpoint + "/x", "", new JsonArray(), new JsonArray("https://other.example"), 7, new JsonObject()];
        foreach (var audience in foreign)
        {
            Refused(await SendAsync(place, Make(place).WithClaim("aud", audience?.DeepClone()).Sign()), $"aud {audience} as {place}");
        }
        Good(await SendAsync(place, Make(place).WithClaim("aud", Server.Issuer).Sign()));
        Good(await SendAsync(place, Make(place).WithClaim("aud", new JsonArray("https://other.example", Server.Issuer)).Sign()));
        Good(await SendAsync(place, Make(place).WithClaim("aud", null).Sign()));
    }

    [Fact]
    [Requirement("R8725-3.12-01", "R9068-4-01")]
    public async Task Rejects_every_other_kind_of_token_as_a_bearer()
    {
        await PrepareAsync();
        (string Kind, string Token)[] tokens = [.. await OfServerAsync(), .. SignedByClients.Select(row => (row.Data, Make(row.Data).Sign()))];
        foreach (var (kind, token) in tokens)
        {
            if (kind != "initial access token")
            {
                Refused(await Server.RegisterAsync(token, Requests.Metadata(TestKey.Create())), $"{kind} to register");
            }
            if (kind != "administrator's access token")
            {
                Refused(await Server.AdminAsync(HttpMethod.Get, "clients", token), $"{kind} to administer");
            }
            // That of another client.
            Refused(await Server.GetAsync(_hosted!.Path, token), $"{kind} to manage a client");
            if (kind != "access token for an API")
            {
                Assert.False(await Server.IsActiveAsync(token), kind);
            }
        }
    }

    /// <summary>One of the classes of fault that registration endpoints have been found to have (<see cref="RegistrationFaultClassTests"/>).</summary>
    [Theory]
    [MemberData(nameof(SignedByClients))]
    [Requirement("R8725-3.1-01", "R8725-3.2-01", "R7518-3.1-01")]
    public async Task Rejects_another_algorithm_than_the_key_is_for(string place)
    {
        await PrepareAsync();
        foreach (var alg in new[] { "none", "None", "NONE", "", "HS256", "HS384", "HS512", "es256", "ES384", "ES256K", "PS256", "RS256", "ECDH-ES" })
        {
            var (input, signed) = Parts(Make(place).WithHeader("alg", alg).Sign());
            Refused(await SendAsync(place, signed), $"{alg} as {place}");
            Refused(await SendAsync(place, input + "."), $"{alg} without a signature as {place}");
        }
        foreach (var secret in PublicForms(Key.PublicJwk()))
        {
            var (input, _) = Parts(Make(place).WithHeader("alg", "HS256").Sign());
            Refused(await SendAsync(place, $"{input}.{Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(input)))}"), $"HMAC with the public key as {place}");
        }
        Good(await SendAsync(place, Make(place).Sign()));
    }

    [Fact]
    [Requirement("R8725-3.1-01", "R8725-3.2-01", "R9068-2.1-01")]
    public async Task Rejects_an_access_token_with_another_algorithm_than_the_server_signs_with()
    {
        var token = await Server.AdminTokenAsync();
        var header = TokenQueries.Header(token);
        var payload = token.Split('.')[1];
        var published = (await Server.GetAsync("/oauth/jwks")).Succeeded().Json["keys"]![0]!.AsObject();
        foreach (var alg in new[] { "none", "None", "HS256", "RS256", "ES384" })
        {
            header["alg"] = alg;
            var input = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()))}.{payload}";
            string[] signatures = ["", token.Split('.')[2], .. PublicForms(published).Select(secret => Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes(input))))];
            foreach (var signature in signatures)
            {
                (await Server.AdminAsync(HttpMethod.Get, "clients", $"{input}.{signature}")).Refused(HttpStatusCode.Unauthorized, "invalid_token");
            }
        }
        (await Server.AdminAsync(HttpMethod.Get, "clients", token)).Succeeded();
    }

    private static (string Input, string Signed) Parts(string jwt) => (jwt[..jwt.LastIndexOf('.')], jwt);

    /// <summary>What a library might take for the secret of an HMAC: the JWK, the set, the key in DER and in PEM.</summary>
    private static byte[][] PublicForms(JsonObject jwk)
    {
        using var key = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = Base64Url.DecodeFromChars(jwk["x"]!.GetValue<string>()), Y = Base64Url.DecodeFromChars(jwk["y"]!.GetValue<string>()) },
        });
        var text = jwk.ToJsonString();
        return [Encoding.UTF8.GetBytes(text), Encoding.UTF8.GetBytes($"{{\"keys\":[{text}]}}"), key.ExportSubjectPublicKeyInfo(), Encoding.UTF8.GetBytes(key.ExportSubjectPublicKeyInfoPem())];
    }

    private static void Good(Answer answer) => Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.Created, $"{(int)answer.Status} {answer.Text}");
}

public sealed class TokenConfusionTestsOnSqlite(SqliteServer server) : TokenConfusionTests(server), IClassFixture<SqliteServer>;

public sealed class TokenConfusionTestsOnMongoDb(MongoDbServer server) : TokenConfusionTests(server), IClassFixture<MongoDbServer>;
