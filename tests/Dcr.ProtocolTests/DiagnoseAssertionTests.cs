using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>POST /admin/v1/diagnose: which rule a client assertion fails and why, with nothing used up.</summary>
public abstract class DiagnoseAssertionTests(DcrServer server) : ServerTests(server)
{
    private const string Unproved = "The client is unknown or not active";

    private async Task<Answer> AdminAsync(HttpMethod method, string path, JsonObject? body = null) =>
        await Server.AdminAsync(method, path, await Server.AdminTokenAsync(), body);

    private Task<Answer> SendAsync(string? bearer, JsonObject? body) => Server.SendAsync(HttpMethod.Post, Server.Path("/admin/v1/diagnose"), bearer, body);

    private async Task<Answer> DiagnoseAsync(string assertion)
    {
        var answer = (await SendAsync(await Server.AdminTokenAsync(), new JsonObject { ["client_assertion"] = assertion })).Succeeded();
        Assert.True(answer.Response.Headers.CacheControl?.NoStore);
        Assert.Equal(Server.Issuer, answer["issuer"]);
        Assert.Equal(Server.TokenEndpoint, answer["token_endpoint"]);
        Assert.Equal(Server.Time.GetUtcNow(), answer.Json["server_time"]!.GetValue<DateTimeOffset>());
        return answer;
    }

    /// <summary>Refused by this rule, and the client would be told so in these words.</summary>
    private async Task<Answer> FailsAsync(string assertion, int rule, string name, string detailHas, string told)
    {
        var answer = await DiagnoseAsync(assertion);
        Assert.False(answer.Json["accepted"]!.GetValue<bool>(), answer.Text);
        Assert.True(answer.Json["rule"]!.GetValue<int>() == rule && answer["rule_name"] == name, answer.Text);
        Assert.Contains(detailHas, answer["detail"], StringComparison.Ordinal);
        Assert.DoesNotContain(answer["detail"], c => c is < ' ' or > '~' or '"' or '\\');
        Assert.Contains(told, answer["told_client"], StringComparison.Ordinal);
        Assert.True(assertion.Length == 0 || !answer.Text.Contains(assertion, StringComparison.Ordinal), "an assertion is never repeated");
        Assert.Equal(answer["told_client"], (await Server.PostTokenAsync(assertion)).Refused(HttpStatusCode.Unauthorized, "invalid_client").Description);
        return answer;
    }

    private static void ShowsClient(Answer answer, string clientId, string status = "active")
    {
        Assert.Equal(clientId, answer["client_id"]);
        Assert.Equal(status, answer["client_status"]);
        Assert.NotEmpty(answer.Json["keys"]!.AsArray());
    }

    private static void ShowsNoClient(Answer answer) => Assert.All(["client_id", "client_status", "keys", "key"], member => Assert.False(answer.Json.ContainsKey(member), member));

    private string Now => Server.Time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private AssertionScenario By(OnboardedClient client) => Server.Assertion(client.Key, client.ClientId);

    private Task<OnboardedClient> OnboardAsync(TestKey key, JwksHost host) => Server.OnboardAsync(key, m =>
    {
        m.Remove("jwks");
        m["jwks_uri"] = host.Url;
    });

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Accepts_what_the_token_endpoint_then_still_accepts_once()
    {
        var client = await Server.OnboardAsync();
        var assertion = By(client).Sign();

        for (var i = 0; i < 3; i++)
        {
            var answer = await DiagnoseAsync(assertion);
            Assert.True(answer.Json["accepted"]!.GetValue<bool>(), answer.Text);
            Assert.All(["rule", "rule_name", "detail", "told_client"], member => Assert.False(answer.Json.ContainsKey(member), member));
            ShowsClient(answer, client.ClientId);
            Assert.Equal(client.Key.Kid, answer.Json["key"]!["kid"]!.GetValue<string>());
            Assert.Equal(client.Key.Thumbprint(), answer.Json["key"]!["thumbprint"]!.GetValue<string>());
            var listed = (await AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}/keys")).Succeeded().Json["items"]!;
            Assert.True(JsonNode.DeepEquals(listed, answer.Json["keys"]), answer.Text);
        }

        (await Server.PostTokenAsync(assertion)).Succeeded();
        (await Server.PostTokenAsync(assertion)).Refused(HttpStatusCode.Unauthorized, "invalid_client", "used before");
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Records_nothing_of_the_client()
    {
        var client = await Server.OnboardAsync();
        var exception = new JsonObject { ["audience"] = "own_endpoints", ["until"] = Server.Time.GetUtcNow().AddDays(1) };
        (await AdminAsync(HttpMethod.Put, $"clients/{client.ClientId}/assertion-exception", exception)).Succeeded();
        string[] assertions =
        [
            By(client).Sign(),
            By(client).WithClaim("aud", Server.TokenEndpoint).Sign(),
            Server.Assertion(TestKey.Create(), client.ClientId).Sign(),
            By(client).WithClaim("aud", "https://other.example").Sign(),
            By(client).Without("exp").Sign(),
        ];
        var admin = await Server.AdminTokenAsync();
        var counted = new List<string>();
        using var listener = CountAssertions(counted);
        foreach (var assertion in assertions)
        {
            (await SendAsync(admin, new JsonObject { ["client_assertion"] = assertion })).Succeeded();
        }

        Assert.Empty(counted);
        var shown = (await AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}")).Succeeded();
        Assert.All(["assertion_exception_needed_at", "last_used_at"], member => Assert.False(shown.Json.ContainsKey(member), member));
        var keys = (await AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}/keys")).Succeeded().Json["items"]!.AsArray();
        Assert.Null(Assert.Single(keys)!["last_used_at"]);
        var audit = (await AdminAsync(HttpMethod.Get, $"audit?subject={client.ClientId}")).Succeeded().Json["items"]!.AsArray();
        Assert.Equal(["client.assertion_exception_set", "client.registered"], audit.Select(record => record!["action"]!.GetValue<string>()));
        (await Server.PostTokenAsync(assertions[1])).Succeeded();
        (await Server.PostTokenAsync(assertions[0])).Succeeded();
    }

    private MeterListener CountAssertions(List<string> counted)
    {
        var meters = Server.Services.GetRequiredService<IMeterFactory>();
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Scope == meters && instrument.Name.StartsWith("dcr.client_assertions", StringComparison.Ordinal))
                {
                    listening.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, _, _, _) => counted.Add(instrument.Name));
        listener.Start();
        return listener;
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_rule_1_for_what_is_no_assertion()
    {
        var good = By(await Server.OnboardAsync()).Sign();
        ShowsNoClient(await FailsAsync(good[..good.LastIndexOf('.')], 1, "shape", "three parts, this has 2", "three parts"));
        await FailsAsync(good + "\n", 1, "shape", "base64url", "base64url");
        await FailsAsync("not \"an\" assertion \u2713", 1, "shape", "three parts", "three parts");
        await FailsAsync("", 1, "shape", "no client_assertion", "Authenticate with client_assertion");
    }

    [Fact]
    [Requirement("P-DIAGNOSE", "P-JWT")]
    public async Task Names_rule_1_for_an_assertion_of_more_than_eight_kibibytes()
    {
        var client = await Server.OnboardAsync();
        await FailsAsync(By(client).WithClaim("padding", new string('x', 9 * 1024)).Sign(), 1, "shape", "longer than 8192", "longer than 8192");
        Assert.True((await DiagnoseAsync(By(client).WithClaim("padding", new string('x', 5 * 1024)).Sign())).Json["accepted"]!.GetValue<bool>());
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_rule_2_for_an_algorithm_or_a_type_that_is_not_taken()
    {
        var client = await Server.OnboardAsync();
        ShowsClient(await FailsAsync(By(client).WithHeader("alg", "HS256").Sign(), 2, "algorithm", "alg is HS256", "must be one of"), client.ClientId);
        ShowsClient(await FailsAsync(By(client).WithHeader("typ", "at+jwt").Sign(), 2, "algorithm", "typ is at+jwt", "typ"), client.ClientId);
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_rule_2_for_another_algorithm_than_the_registered_one()
    {
        var key = TestKey.Create("PS256");
        var client = await Server.OnboardAsync(key, m => m["token_endpoint_auth_signing_alg"] = "PS256");
        var answer = await FailsAsync(Server.Assertion(key.As(alg: "RS256"), client.ClientId).Sign(), 2, "algorithm", "alg is RS256; the client is registered with token_endpoint_auth_signing_alg PS256", Unproved);
        ShowsClient(answer, client.ClientId);
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_rule_3_for_a_client_that_is_unknown() =>
        ShowsNoClient(await FailsAsync(Server.Assertion(TestKey.Create(), "nobody").Sign(), 3, "client", "there is no client with the id nobody", Unproved));

    [Theory]
    [Requirement("P-DIAGNOSE")]
    [InlineData("suspend", "suspended", "until an administrator resumes it")]
    [InlineData("revoke", "revoked", "the client is revoked")]
    public async Task Names_rule_3_for_a_client_that_is_stopped(string step, string status, string detail)
    {
        var client = await Server.OnboardAsync();
        (await AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/{step}")).Succeeded();
        ShowsClient(await FailsAsync(By(client).Sign(), 3, "client", detail, Unproved), client.ClientId, status);
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_rule_3_for_an_iss_that_is_not_the_sub()
    {
        var client = await Server.OnboardAsync();
        ShowsClient(await FailsAsync(By(client).WithClaim("iss", "somebody").Sign(), 3, "client", $"iss is somebody and sub is {client.ClientId}", "iss and sub"), client.ClientId);
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_rule_4_for_an_unknown_kid_and_the_kids_of_an_inline_set()
    {
        var first = TestKey.Create(kid: "first");
        var client = await Server.OnboardAsync(first, m => m["jwks"] = TestKey.Jwks(first, TestKey.Create(kid: "second")));
        var answer = await FailsAsync(
            Server.Assertion(first.As(kid: "other\n\"one\""), client.ClientId).Sign(), 4, "key", "no key of the client has kid other?'one'; the registered jwks has first second", Unproved);
        ShowsClient(answer, client.ClientId);
        Assert.False(answer.Json.ContainsKey("key"));
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_for_an_unknown_kid_of_a_jwks_uri_what_was_fetched_and_when()
    {
        var (first, third) = (TestKey.Create(kid: "k1"), TestKey.Create(kid: "k3"));
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(first, third).ToJsonString());
        var client = await OnboardAsync(first, host);
        Server.Time.Advance(TimeSpan.FromSeconds(10));
        var assertion = Server.Assertion(first.As(kid: "k2"), client.ClientId).Sign();

        var expected = $"no key of the client has kid k2; the set fetched from {host.Url} at {Now} has k1 k3";
        var answer = await DiagnoseAsync(assertion);
        Assert.Equal(expected, answer["detail"]);
        Assert.Equal(Server.Time.GetUtcNow(), answer.Json["keys"]![0]!["fetched_at"]!.GetValue<DateTimeOffset>());
        ShowsClient(answer, client.ClientId);

        // Asked again for this assertion too: the key may have been published since.
        Server.Time.Advance(TimeSpan.FromSeconds(10));
        expected = $"no key of the client has kid k2; the set fetched from {host.Url} at {Now} has k1 k3";
        await FailsAsync(assertion, 4, "key", expected, Unproved);
        // The log and the audit trail say the same.
        Assert.Contains(Server.Log.Lines, line => line.Contains(expected, StringComparison.Ordinal));
        Assert.Contains(expected, (await AdminAsync(HttpMethod.Get, $"audit?subject={client.ClientId}")).Text, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Lists_no_more_kids_than_somebody_reads()
    {
        var keys = Enumerable.Range(0, 60).Select(i => TestKey.Create(kid: $"{i}-{new string('k', 100)}")).ToArray();
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(keys).ToJsonString());
        var client = await OnboardAsync(keys[0], host);
        var answer = await FailsAsync(Server.Assertion(keys[0].As(kid: new string('x', 500)), client.ClientId).Sign(), 4, "key", "and 50 more", Unproved);
        Assert.InRange(answer["detail"].Length, 1, 1200);
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Says_why_the_keys_of_a_jwks_uri_cannot_be_had()
    {
        var key = TestKey.Create(kid: "k1");
        var host = await JwksHost.StartAsync(TestKey.Jwks(key).ToJsonString());
        var client = await OnboardAsync(key, host);
        var fetched = Now;
        await host.DisposeAsync();
        Server.Time.Advance(TimeSpan.FromMinutes(6));
        await FailsAsync(Server.Assertion(key.As(kid: "k2"), client.ClientId).Sign(), 4, "key",
            $"the set fetched from {host.Url} at {fetched} has k1; it could not be fetched again at {Now}: the host could not be reached, or broke off", Unproved);
        Assert.True((await DiagnoseAsync(Server.Assertion(key, client.ClientId).Sign())).Json["accepted"]!.GetValue<bool>());

        Server.Time.Advance(TimeSpan.FromHours(1));
        var answer = await FailsAsync(Server.Assertion(key, client.ClientId).Sign(), 4, "key",
            $"the keys could not be fetched from {host.Url} at {Now}: the host could not be reached, or broke off; the set fetched at {fetched} is too old", Unproved);
        Assert.Contains("could not be reached", answer.Json["keys"]![0]!["last_failure"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Says_why_a_published_key_cannot_be_used()
    {
        var good = TestKey.Create(kid: "good");
        var encrypts = TestKey.Create(kid: "encrypts");
        var weak = TestKey.Create("PS256", kid: "weak", rsaBits: 1024);
        var document = TestKey.Jwks(good, encrypts, weak);
        document["keys"]![1]!["use"] = "enc";
        var text = document.ToJsonString().Replace("[{", """[{"kty":"EC","kid":"\ud800"},{""", StringComparison.Ordinal);
        await using var host = await JwksHost.StartAsync(text);
        var client = await OnboardAsync(good, host);
        await FailsAsync(Server.Assertion(encrypts, client.ClientId).Sign(), 4, "key", "with kid encrypts cannot be used: its use is enc", Unproved);
        // Each may have the document fetched again, and that is done three times in half a minute.
        Server.Time.Advance(TimeSpan.FromSeconds(30));
        await FailsAsync(Server.Assertion(weak, client.ClientId).Sign(), 4, "key", "with kid weak cannot be used: ", Unproved);
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Says_which_algorithms_the_keys_are_for()
    {
        var elliptic = TestKey.Create("ES256", kid: "a");
        var client = await Server.OnboardAsync(elliptic, m => m["jwks"] = TestKey.Jwks(elliptic, TestKey.Create("ES384", kid: "b")));
        await FailsAsync(By(client).WithHeader("alg", "PS256").Sign(), 4, "key", "with kid a does not fit PS256; it fits ES256; ", Unproved);
        await FailsAsync(By(client).WithHeader("alg", "PS256").Without("kid").Sign(), 4, "key", "no key of the client fits PS256; there are keys for ES256 ES384", Unproved);
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Asks_for_a_kid_where_several_keys_fit()
    {
        var first = TestKey.Create(kid: "a");
        var client = await Server.OnboardAsync(first, m => m["jwks"] = TestKey.Jwks(first, TestKey.Create(kid: "b")));
        await FailsAsync(By(client).Without("kid").Sign(), 4, "key", "more than one key of the client fits ES256: the header must name one in kid; the registered jwks has a b", Unproved);
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_rule_4_for_a_key_in_quarantine()
    {
        var client = await Server.OnboardAsync();
        (await AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/keys/{client.Key.Thumbprint()}/quarantine")).Succeeded();
        var answer = await FailsAsync(By(client).Sign(), 4, "key", $"key {client.Key.Kid} ({client.Key.Thumbprint()}) is quarantined: an administrator must release it", Unproved);
        Assert.Equal("quarantined", answer.Json["keys"]![0]!["state"]!.GetValue<string>());
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_the_stage_of_the_keys_of_a_hosted_set()
    {
        var set = (await AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created);
        var (active, pending) = (TestKey.Create(kid: "now"), TestKey.Create(kid: "soon"));
        (await AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys", active.PublicJwk())).Succeeded(HttpStatusCode.Created);
        (await AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys/now/activate")).Succeeded();
        (await AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys", pending.PublicJwk())).Succeeded(HttpStatusCode.Created);
        var client = await Server.OnboardAsync(active, m =>
        {
            m.Remove("jwks");
            m["jwks_uri"] = set["jwks_uri"];
        });
        await FailsAsync(Server.Assertion(pending, client.ClientId).Sign(), 4, "key", $"no key of the client has kid soon; the hosted key set {set["id"]} has now (active) soon (pending)", Unproved);
        (await AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys/now/withdraw")).Succeeded();
        await FailsAsync(By(client).Sign(), 4, "key", $"the hosted key set has no active key; the hosted key set {set["id"]} has soon (pending)", Unproved);
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_rule_5_for_the_signature_of_another_key()
    {
        var client = await Server.OnboardAsync();
        var answer = await FailsAsync(Server.Assertion(TestKey.Create(), client.ClientId).Sign(), 5, "signature", $"does not verify with key {client.Key.Kid} ({client.Key.Thumbprint()}): another key made it", Unproved);
        ShowsClient(answer, client.ClientId);
        Assert.False(answer.Json.ContainsKey("key"));
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_rule_5_for_a_signature_in_DER_form()
    {
        var client = await Server.OnboardAsync();
        var good = By(client).Sign();
        var der = System.Buffers.Text.Base64Url.EncodeToString(new byte[71]);
        await FailsAsync(good[..(good.LastIndexOf('.') + 1)] + der, 5, "signature", "it has 71 bytes, and one of ES256 has 64", Unproved);
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_rule_6_for_another_audience()
    {
        var client = await Server.OnboardAsync();
        var answer = await FailsAsync(By(client).WithClaim("aud", "https://other.example").Sign(), 6, "audience", $"aud is https://other.example. aud must be the issuer, {Server.Issuer}", "aud must be");
        ShowsClient(answer, client.ClientId);
        Assert.Equal(client.Key.Kid, answer.Json["key"]!["kid"]!.GetValue<string>());
        await FailsAsync(By(client).WithClaim("aud", new JsonArray(Server.Issuer, Server.TokenEndpoint)).Sign(), 6, "audience", "aud is an array of 2", "nothing else");

        var exception = new JsonObject { ["audience"] = "own_endpoints", ["until"] = Server.Time.GetUtcNow().AddHours(1) };
        (await AdminAsync(HttpMethod.Put, $"clients/{client.ClientId}/assertion-exception", exception)).Succeeded();
        Assert.True((await DiagnoseAsync(By(client).WithClaim("aud", Server.TokenEndpoint).Sign())).Json["accepted"]!.GetValue<bool>());
        Server.Time.Advance(TimeSpan.FromHours(1));
        await FailsAsync(By(client).WithClaim("aud", Server.TokenEndpoint).Sign(), 6, "audience", "ended at", "ended at");
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_rule_7_for_times_that_are_wrong()
    {
        var client = await Server.OnboardAsync();
        var now = Server.Time.GetUtcNow();
        var answer = await FailsAsync(By(client).WithClaim("exp", now.ToUnixTimeSeconds() - 60).Sign(), 7, "times", "60 s ago by this server's clock", "60 s ago");
        Assert.Equal(client.Key.Thumbprint(), answer.Json["key"]!["thumbprint"]!.GetValue<string>());
        await FailsAsync(By(client).WithClaim("exp", now.ToUnixTimeMilliseconds()).Sign(), 7, "times", "milliseconds", "milliseconds");
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Names_rule_8_for_a_jti_that_was_used()
    {
        var client = await Server.OnboardAsync();
        var assertion = By(client).WithClaim("jti", $"once-{client.ClientId}").Sign();
        (await Server.PostTokenAsync(assertion)).Succeeded();
        var answer = await FailsAsync(assertion, 8, "single_use", $"jti once-{client.ClientId} has been used before", "used before");
        ShowsClient(answer, client.ClientId);
        Assert.Equal(client.Key.Kid, answer.Json["key"]!["kid"]!.GetValue<string>());
        await FailsAsync(By(client).Without("jti").Sign(), 8, "single_use", "there is no jti", "jti must be present");
    }

    [Fact]
    [Requirement("P-DIAGNOSE", "P-ADMIN", "P-SCOPE")]
    public async Task Tells_nobody_but_an_administrator()
    {
        var client = await Server.OnboardAsync();
        var body = new JsonObject { ["client_assertion"] = By(client).Sign() };
        var unknown = new JsonObject { ["client_assertion"] = Server.Assertion(client.Key, "nobody").Sign() };
        var none = (await SendAsync(null, body)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        Assert.Equal(none.Text, (await SendAsync(null, unknown)).Text);
        foreach (var token in new[] { await Server.AccessTokenAsync(client.Key, client.ClientId), await Server.InitialAccessTokenAsync() })
        {
            var refused = (await SendAsync(token, body)).Refused(HttpStatusCode.Forbidden, "insufficient_scope");
            Assert.Equal(refused.Text, (await SendAsync(token, unknown)).Text);
        }
    }

    [Theory]
    [Requirement("P-DIAGNOSE")]
    [InlineData("{}", "client_assertion")]
    [InlineData("""{"client_assertion":null}""", "client_assertion")]
    [InlineData("""{"client_assertion":7}""", "client_assertion")]
    [InlineData("""{"client_assertion":"\ud800"}""", "not valid Unicode")]
    [InlineData("""{"client_assertion":"x","client_id":"y"}""", "client_id: unknown member")]
    [InlineData("""{"client_assertion":"x","client_assertion":"y"}""", "named once")]
    [InlineData("[]", "JSON object")]
    public async Task Rejects_a_body_that_is_something_else(string body, string names)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        var answer = await Server.SendAsync(HttpMethod.Post, Server.Path("/admin/v1/diagnose"), await Server.AdminTokenAsync(), content);
        answer.Refused(HttpStatusCode.BadRequest, "invalid_request", names);
    }

    [Fact]
    [Requirement("P-JSON")]
    public async Task Rejects_a_body_of_more_than_64_kibibytes()
    {
        var answer = await SendAsync(await Server.AdminTokenAsync(), new JsonObject { ["client_assertion"] = new string('x', 65 * 1024) });
        answer.Refused(HttpStatusCode.RequestEntityTooLarge, "invalid_request");
    }

    [Fact]
    [Requirement("P-LOG")]
    public async Task Logs_nothing_of_the_assertion()
    {
        var client = await Server.OnboardAsync();
        var assertion = By(client).Sign();
        await DiagnoseAsync(assertion);
        await DiagnoseAsync(By(client).WithClaim("aud", RandomNumberGenerator.GetHexString(32)).Sign());
        Assert.DoesNotContain(Server.Log.Lines, line => assertion.Split('.').Any(part => line.Contains(part, StringComparison.Ordinal)));
    }
}

public sealed class DiagnoseAssertionTestsOnSqlite(SqliteServer server) : DiagnoseAssertionTests(server), IClassFixture<SqliteServer>;

public sealed class DiagnoseAssertionTestsOnMongoDb(MongoDbServer server) : DiagnoseAssertionTests(server), IClassFixture<MongoDbServer>;
