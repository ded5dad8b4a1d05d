using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>What real clients send: chains of certificates, members of other servers, nulls, empty texts, numbers where a text is meant.</summary>
public abstract class RealClientInputTests(DcrServer server) : ServerTests(server)
{
    private static readonly string s_certificate = Convert.ToBase64String(Enumerable.Range(0, 1500).Select(i => (byte)i).ToArray());

    private static JsonArray Certificates(int count) => [.. Enumerable.Range(0, count).Select(_ => (JsonNode)s_certificate)];

    private async Task<Answer> RegisterTextAsync(string members)
    {
        var metadata = Requests.Metadata(TestKey.Create()).ToJsonString();
        using var content = new StringContent($"{metadata[..^1]},{members}}}", Encoding.UTF8, "application/json");
        return await Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/register"), await Server.InitialAccessTokenAsync(), content);
    }

    [Fact]
    [Requirement("P-JWT")]
    public async Task Accepts_an_assertion_whose_header_has_a_chain_of_certificates()
    {
        var client = await Server.OnboardAsync();
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).WithHeader("x5c", Certificates(2)).Sign())).Succeeded();
        var proof = Server.TokenProof(client.Key).WithHeader("x5c", Certificates(2)).Sign();
        (await Server.PostTokenAsync(Requests.TokenForm(Server.Assertion(client.Key, client.ClientId).Sign()), (DpopScenario.Header, proof))).Succeeded();
    }

    [Fact]
    [Requirement("P-JWT")]
    public async Task Takes_a_claim_and_a_header_member_that_are_null_as_absent()
    {
        var client = await Server.OnboardAsync();
        var assertion = Server.Assertion(client.Key, client.ClientId).WithClaim("nbf", null).WithClaim("iat", null).WithHeader("typ", null).WithHeader("kid", null);
        (await Server.PostTokenAsync(assertion.Sign())).Succeeded();
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).WithClaim("exp", null).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client", "exp is missing");
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).WithClaim("jti", null).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client", "jti");
    }

    [Theory]
    [Requirement("R7591-2-01")]
    [InlineData("\"client_description\":\"first line\\nsecond line\\u0000\"")]
    [InlineData("\"client_name#not a tag\":\"a\\nb\"")]
    [InlineData("\"x\\ny\":1")]
    [InlineData("\"client_id\":\"a\\nb\"")]
    [InlineData("LONG")]
    [InlineData("MANY")]
    [InlineData("DEEP")]
    public async Task Ignores_unknown_members_whatever_they_hold(string members)
    {
        members = members switch
        {
            "LONG" => $"\"x\":\"{new string('x', 30_000)}\"",
            "MANY" => string.Join(',', Enumerable.Range(0, 1000).Select(i => $"\"x{i}\":[{string.Join(',', Enumerable.Range(0, 5))}]")) + $",\"list\":[{string.Join(',', Enumerable.Range(0, 2000))}]",
            "DEEP" => $"\"x\":{new string('[', 20_000)}{new string(']', 20_000)}",
            _ => members,
        };
        var registered = (await RegisterTextAsync(members)).Succeeded(HttpStatusCode.Created);
        Assert.DoesNotContain("client_description", registered.Text, StringComparison.Ordinal);
        // And in an update.
        var update = new JsonObject();
        foreach (var (name, value) in registered.Json.Where(member => member.Key is "client_id" or "client_name" or "jwks" or "scope" or "grant_types" or "token_endpoint_auth_method"))
        {
            update[name] = value?.DeepClone();
        }
        if (members.StartsWith("\"client_id\"", StringComparison.Ordinal))
        {
            return;
        }
        using var content = new StringContent($"{update.ToJsonString()[..^1]},{members}}}", Encoding.UTF8, "application/json");
        (await Server.SendAsync(HttpMethod.Put, new Uri(registered["registration_client_uri"]).AbsolutePath, registered["registration_access_token"], content)).Succeeded();
    }

    [Fact]
    [Requirement("R7591-2-01", "R7591-2.3-02", "P-JWT")]
    public async Task Ignores_unknown_claims_of_a_statement_and_takes_a_number_for_a_text_as_it_is_written()
    {
        var issuer = new StatementIssuer();
        var party = await Server.OnboardingClientAsync(StatementIssuer.Policy("required", issuer.Trusted("42")));
        var claims = $$"""{"iss":"{{issuer.Issuer}}","software_id":42,"software_version":1.10,"client_name":7,"logo_uri":"","about":"a\nb","deep":{{new string('[', 3000)}}{{new string(']', 3000)}},"long":"{{new string('x', 9000)}}"}""";
        var statement = AssertionScenario.Sign(issuer.Key, Encoding.UTF8.GetBytes(new JsonObject { ["alg"] = "ES256", ["kid"] = issuer.Key.Kid, ["x5c"] = Certificates(3) }.ToJsonString()), Encoding.UTF8.GetBytes(claims));
        Assert.InRange(statement.Length, 20_000, 32 * 1024);
        var metadata = Requests.Metadata(TestKey.Create());
        metadata["software_statement"] = statement;
        var registered = (await Server.RegisterAsync(party, metadata)).Succeeded(HttpStatusCode.Created);
        Assert.Equal("42", registered["software_id"]);
        Assert.Equal("1.10", registered["software_version"]);
        Assert.Equal("7", registered["client_name"]);
        Assert.Equal(statement, registered["software_statement"]);
        Assert.False(registered.Json.ContainsKey("logo_uri"));
        // What the client says itself it can mend.
        var own = Requests.Metadata(TestKey.Create());
        own["software_version"] = 1.1;
        (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(), own)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "software_version");
    }

    [Fact]
    [Requirement("P-JWT")]
    public async Task Rejects_a_statement_of_more_than_32_kibibytes()
    {
        var issuer = new StatementIssuer();
        var party = await Server.OnboardingClientAsync(StatementIssuer.Policy("required", issuer.Trusted("a")));
        var claims = issuer.Claims("a");
        claims["x"] = new string('x', 25_000);
        var metadata = Requests.Metadata(TestKey.Create());
        metadata["software_statement"] = issuer.Sign(claims);
        (await Server.RegisterAsync(party, metadata)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "software_statement");
    }

    [Fact]
    [Requirement("R7592-2.2-08")]
    public async Task Takes_an_empty_text_as_absent_and_removes_the_member_in_an_update()
    {
        var client = await Server.OnboardAsync(change: m =>
        {
            m["logo_uri"] = "https://app.example/logo.png";
            m["logo_uri#de"] = "https://app.example/de.png";
            m["client_uri"] = "";
            m["tos_uri"] = "";
            m["policy_uri#fr"] = "";
            m["software_version"] = "";
            m["jwks_uri"] = "";
            m["token_endpoint_auth_signing_alg"] = "";
        });
        Assert.Equal("https://app.example/logo.png", client.Information["logo_uri"]!.GetValue<string>());
        Assert.DoesNotContain(client.Information, member => member.Key is "client_uri" or "tos_uri" or "policy_uri#fr" or "software_version" or "jwks_uri" or "token_endpoint_auth_signing_alg");

        var update = Requests.Metadata(client.Key);
        update["client_id"] = client.ClientId;
        update["logo_uri"] = "";
        update["logo_uri#de"] = "";
        update["client_name"] = "";
        var updated = (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, update)).Succeeded();
        Assert.DoesNotContain(updated.Json, member => member.Key is "logo_uri" or "logo_uri#de" or "client_name");
    }

    [Fact]
    [Requirement("R7591-2-03", "P-JSON")]
    public async Task Accepts_keys_with_a_chain_of_certificates_wherever_keys_are_given()
    {
        JsonObject Key(TestKey key)
        {
            var jwk = key.PublicJwk();
            jwk["x5c"] = Certificates(2);
            jwk["note"] = "a\nb";
            return jwk;
        }
        await Server.OnboardAsync(change: m => m["jwks"] = new JsonObject { ["keys"] = new JsonArray(Key(TestKey.Create())) });
        var set = (await Server.AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created)["id"];
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set}/keys", Key(TestKey.Create()))).Succeeded(HttpStatusCode.Created);
        var entry = OnboardingRequests.OnboardingEntry(TestKey.Create());
        entry["jwks"] = new JsonObject { ["keys"] = new JsonArray(Key(TestKey.Create())) };
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", entry)).Succeeded(HttpStatusCode.Created);
        // What is known of a key is judged all the same.
        var named = Requests.Metadata(TestKey.Create());
        named["jwks"]!["keys"]![0]!["kid"] = "a\nb";
        (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(), named)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks.keys[0].kid");
    }

    [Fact]
    [Requirement("R6750-3-01")]
    public async Task Is_challenged_when_the_client_is_gone_before_its_update_is_written()
    {
        var key = TestKey.Create();
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(key).ToJsonString());
        var client = await Server.OnboardAsync(key);
        host.Delay = TimeSpan.FromSeconds(1.5);
        var metadata = Requests.Metadata(key);
        metadata["client_id"] = client.ClientId;
        metadata.Remove("jwks");
        metadata["jwks_uri"] = host.Url;
        var update = Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, metadata);
        await Task.Delay(TimeSpan.FromMilliseconds(500), Cancellation);
        (await Server.SendAsync(HttpMethod.Delete, client.Path, client.RegistrationAccessToken)).Succeeded(HttpStatusCode.NoContent);
        (await update).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }
}

public sealed class RealClientInputTestsOnSqlite(SqliteServer server) : RealClientInputTests(server), IClassFixture<SqliteServer>;

public sealed class RealClientInputTestsOnMongoDb(MongoDbServer server) : RealClientInputTests(server), IClassFixture<MongoDbServer>;
