using System.Buffers.Text;
using System.Net;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Which keys may be registered, inline, at a URL and in hosted sets, and what is fetched for a registration.</summary>
public abstract class RegisteredKeyTests(DcrServer server) : ServerTests(server)
{
    private static JsonObject At(string url)
    {
        var metadata = Requests.Metadata(TestKey.Create());
        metadata.Remove("jwks");
        metadata["jwks_uri"] = url;
        return metadata;
    }

    private static JsonObject Inline(params JsonObject[] keys)
    {
        var metadata = Requests.Metadata(TestKey.Create());
        metadata["jwks"] = new JsonObject { ["keys"] = new JsonArray([.. keys.Select(key => key.DeepClone())]) };
        return metadata;
    }

    private Task<Answer> ValidateAsync(string token, JsonObject metadata) =>
        Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/register?validate_only=true"), token, metadata);

    private async Task<Answer> ValidateAsync(JsonObject metadata) => await ValidateAsync(await Server.InitialAccessTokenAsync(), metadata);

    private async Task<Answer> AddToHostedSetAsync(JsonObject key) =>
        await Server.AdminAsync(HttpMethod.Post, $"key-sets/{(await Server.AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created)["id"]}/keys", key);

    /// <summary>By every way that a key comes in.</summary>
    private async Task RejectsAsync(JsonObject key, string naming)
    {
        (await ValidateAsync(Inline(key))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", naming);
        await using var host = await JwksHost.StartAsync(new JsonObject { ["keys"] = new JsonArray(key.DeepClone()) }.ToJsonString());
        (await ValidateAsync(At(host.Url))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", naming);
        (await AddToHostedSetAsync(key)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", naming);
        var entry = OnboardingRequests.OnboardingEntry(TestKey.Create());
        entry["jwks"] = new JsonObject { ["keys"] = new JsonArray(key.DeepClone()) };
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", entry)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", naming);
    }

    private async Task AcceptsAsync(JsonObject key)
    {
        (await ValidateAsync(Inline(key))).Succeeded();
        await using var host = await JwksHost.StartAsync(new JsonObject { ["keys"] = new JsonArray(key.DeepClone()) }.ToJsonString());
        (await ValidateAsync(At(host.Url))).Succeeded();
        (await AddToHostedSetAsync(key)).Succeeded(HttpStatusCode.Created);
        var entry = OnboardingRequests.OnboardingEntry(TestKey.Create());
        entry["jwks"] = new JsonObject { ["keys"] = new JsonArray(key.DeepClone()) };
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", entry)).Succeeded(HttpStatusCode.Created);
    }

    private static JsonObject RsaKey(Func<RSAParameters, byte[]> modulus)
    {
        using var rsa = RSA.Create(4096);
        return new JsonObject { ["kty"] = "RSA", ["kid"] = "weak-1", ["e"] = "AQAB", ["n"] = Base64Url.EncodeToString(modulus(rsa.ExportParameters(true))) };
    }

    private static BigInteger Number(byte[] bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    [Fact]
    [Requirement("P-INLINE")]
    public async Task Takes_as_many_inline_keys_as_the_policy_says()
    {
        JsonObject[] Keys(int count) => [.. Enumerable.Range(0, count).Select(i => TestKey.Create("ES384", $"k{i}").PublicJwk())];
        (await ValidateAsync(Inline(Keys(10)))).Succeeded();
        (await ValidateAsync(Inline(Keys(11)))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks: 11 keys; registration_policy.max_inline_keys allows 10.");
        var one = await Server.InitialAccessTokenAsync(await Server.OnboardingClientAsync("""{"max_inline_keys":1}"""));
        (await ValidateAsync(one, Inline(Keys(2)))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "max_inline_keys allows 1");
        (await ValidateAsync(one, Inline(Keys(1)))).Succeeded();
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", OnboardingRequests.OnboardingEntry(TestKey.Create(), new JsonObject { ["max_inline_keys"] = 101 })))
            .Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "max_inline_keys: must be from 1 to 100");
        // An update passes what a registration would.
        var client = await Server.OnboardAsync();
        var body = Inline(Keys(11));
        body["client_id"] = client.ClientId;
        (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, body)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "max_inline_keys");
    }

    [Fact]
    [Requirement("P-WEAKRSA")]
    public async Task Rejects_RSA_keys_that_anybody_can_factor_wherever_they_come_from()
    {
        await RejectsAsync(RsaKey(key => key.P!), "the modulus is a prime");
        await RejectsAsync(RsaKey(key => (3 * Number(key.P!)).ToByteArray(isUnsigned: true, isBigEndian: true)), "small prime factor");
        await RejectsAsync(RsaKey(key => (Number(key.P!) * Number(key.P!)).ToByteArray(isUnsigned: true, isBigEndian: true)), "the same or lie close");
    }

    [Fact]
    [Requirement("P-WEAKRSA")]
    public async Task A_weak_key_beside_a_good_one_at_a_URL_authenticates_nobody()
    {
        using var rsa = RSA.Create(4096);
        var n = Number(rsa.ExportParameters(true).P!);
        // Whoever knows that n is prime can sign: phi is n - 1.
        var d = BigInteger.ModPow(65537, ((n - 1) / 2) - 1, (n - 1) / 2);
        var good = TestKey.Create(kid: "good");
        var jwks = TestKey.Jwks(good);
        jwks["keys"]!.AsArray().Add(new JsonObject { ["kty"] = "RSA", ["kid"] = "weak", ["e"] = "AQAB", ["n"] = Base64Url.EncodeToString(n.ToByteArray(true, true)) });
        Assert.False(d.IsZero);
        await using var host = await JwksHost.StartAsync(jwks.ToJsonString());
        var client = await Server.OnboardAsync(good, m =>
        {
            m.Remove("jwks");
            m["jwks_uri"] = host.Url;
        });
        (await Server.PostTokenAsync(Server.Assertion(good, client.ClientId).Sign())).Succeeded();
        (await Server.PostTokenAsync(Server.Assertion(TestKey.Create("PS256", "weak"), client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        Assert.Contains(Server.Log.Lines, line => line.Contains("the modulus is a prime", StringComparison.Ordinal));
    }

    [Fact]
    [Requirement("P-KEY")]
    public Task Rejects_private_members_of_every_type_of_key() => RejectsAsync(
        new JsonObject { ["kty"] = "AKP", ["kid"] = "leaky", ["alg"] = "ML-DSA-44", ["pub"] = "AA", ["priv"] = "AA" }, "the member priv, which is private");

    [Fact]
    [Requirement("P-JSON")]
    public async Task Takes_a_key_with_its_certificates()
    {
        var key = TestKey.Create("PS256", "with-chain").PublicJwk();
        key["x5c"] = new JsonArray(new string('A', 2560), new string('B', 2560));
        await AcceptsAsync(key);
        var registered = (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(), Inline(key))).Succeeded(HttpStatusCode.Created);
        Assert.Null(registered.Json["jwks"]!["keys"]![0]!["x5c"]);
    }

    [Fact]
    [Requirement("P-KEY")]
    public async Task Names_a_modulus_with_a_leading_zero_wherever_it_comes_from()
    {
        var key = TestKey.Create("PS256", "padded").PublicJwk();
        key["n"] = Base64Url.EncodeToString([0, .. Base64Url.DecodeFromChars(key["n"]!.GetValue<string>())]);
        await RejectsAsync(key, "n and e must have no leading zeros");
    }

    [Fact]
    [Requirement("R7517-4.5-01")]
    public async Task Takes_a_key_that_stands_twice_for_one()
    {
        var key = TestKey.Create(kid: "twice");
        var registered = (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(), Inline(key.PublicJwk(), key.PublicJwk()))).Succeeded(HttpStatusCode.Created);
        Assert.Single(registered.Json["jwks"]!["keys"]!.AsArray());
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(key, key).ToJsonString());
        var client = await Server.OnboardAsync(key, m =>
        {
            m.Remove("jwks");
            m["jwks_uri"] = host.Url;
        });
        (await Server.PostTokenAsync(Server.Assertion(key, client.ClientId).Sign())).Succeeded();
    }

    [Fact]
    [Requirement("P-OWNURL")]
    public async Task A_jwks_uri_at_this_server_is_that_of_a_hosted_set_letter_for_letter()
    {
        var set = (await Server.AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created);
        var (id, uri) = (set["id"], set["jwks_uri"]);
        var key = TestKey.Create(kid: "hosted");
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{id}/keys", key.PublicJwk())).Succeeded(HttpStatusCode.Created);
        (await ValidateAsync(At(uri))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "no active key");
        foreach (var other in new[]
        {
            "HTTP" + uri[4..], uri.Replace("127.0.0.1", "localhost", StringComparison.Ordinal), uri.Replace("127.0.0.1", "127.0.0.2", StringComparison.Ordinal),
            uri.Replace("/keys/", "/x/../keys/", StringComparison.Ordinal), uri.Replace("/keys/", "//keys/", StringComparison.Ordinal), uri + "?", uri + "?x=y",
            uri.Replace(id, id.ToUpperInvariant(), StringComparison.Ordinal), uri.Replace("keys", "%6beys", StringComparison.Ordinal), Server.Issuer + "/oauth/jwks", Server.Issuer,
        })
        {
            (await ValidateAsync(At(other))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks_uri");
        }
        var issuer = new JsonObject { ["issuer"] = "https://trade.example", ["jwks_uri"] = Server.Issuer + "/oauth/jwks" };
        var policy = new JsonObject { ["software_statement"] = new JsonObject { ["mode"] = "optional", ["issuers"] = new JsonArray(issuer) } };
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", OnboardingRequests.OnboardingEntry(TestKey.Create(), policy)))
            .Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks_uri: at this server");
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{id}/keys/hosted/activate")).Succeeded();
        (await ValidateAsync(At(uri))).Succeeded();
    }

    [Fact]
    [Requirement("P-FETCHBUDGET")]
    public async Task A_token_that_is_used_up_has_nothing_fetched()
    {
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(TestKey.Create()).ToJsonString());
        var token = await Server.InitialAccessTokenAsync();
        (await Server.RegisterAsync(token, Requests.Metadata(TestKey.Create()))).Succeeded(HttpStatusCode.Created);
        for (var i = 0; i < 5; i++)
        {
            (await Server.RegisterAsync(token, At(host.Url))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "has been used");
            (await ValidateAsync(token, At(host.Url))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "has been used");
        }
        Assert.Equal(0, host.Requests);
    }

    [Fact]
    [Requirement("P-FETCHBUDGET", "P-IDEMPOTENT")]
    public async Task The_repeat_of_a_registration_is_answered_though_the_token_is_used_up_and_fetches_nothing()
    {
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(TestKey.Create()).ToJsonString());
        var token = await Server.InitialAccessTokenAsync();
        var key = Guid.NewGuid().ToString();
        var first = (await Server.RegisterAsync(token, At(host.Url), key)).Succeeded(HttpStatusCode.Created);
        var again = (await Server.RegisterAsync(token, At(host.Url), key)).Succeeded(HttpStatusCode.Created);
        Assert.Equal(first["client_id"], again["client_id"]);
        Assert.Equal(1, host.Requests);
    }

    [Fact]
    [Requirement("P-FETCHBUDGET")]
    public async Task A_token_causes_as_many_downloads_as_it_has_uses_and_ten_more()
    {
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(TestKey.Create()).ToJsonString());
        var token = await Server.InitialAccessTokenAsync();
        for (var i = 0; i < 11; i++)
        {
            (await ValidateAsync(token, At($"{host.Url}?{i}"))).Succeeded();
        }
        (await ValidateAsync(token, At($"{host.Url}?more"))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "11 downloads");
        (await Server.RegisterAsync(token, At($"{host.Url}?more"))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "11 downloads");
        Assert.Equal(11, host.Requests);
        (await ValidateAsync(token, Requests.Metadata(TestKey.Create()))).Succeeded();
        (await ValidateAsync(At($"{host.Url}?more"))).Succeeded();
    }
}

public sealed class RegisteredKeyTestsOnSqlite(SqliteServer server) : RegisteredKeyTests(server), IClassFixture<SqliteServer>;

public sealed class RegisteredKeyTestsOnMongoDb(MongoDbServer server) : RegisteredKeyTests(server), IClassFixture<MongoDbServer>;
