using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary>dcr doctor as it is used: what it asks, what it shows, what it ends with. Each rule by itself: AssertionExaminationTests.</summary>
[Requirement("P-CLI-DOCTOR")]
public sealed class DoctorTests(CliServer server) : IDisposable
{
    private readonly DcrTool _tool = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task Says_that_the_set_up_of_a_registered_client_works()
    {
        await RegisterAsync();
        var answer = await _tool.SucceedAsync("doctor");
        Assert.StartsWith("The server accepts it.", answer.Out, StringComparison.Ordinal);
        Assert.Equal(8, answer.Out.Split('\n').Count(line => line.TrimStart().StartsWith("passed", StringComparison.Ordinal)));
        Assert.Equal("accepted", (string?)(await _tool.JsonAsync("doctor"))["verdict"]);
        await _tool.KnowAsync(server, "admin");
        Assert.Equal("accepted", (string?)(await _tool.JsonAsync("doctor", "--admin", "admin"))["verdict"]);
    }

    [Fact]
    public async Task Does_not_say_that_a_quarantined_key_is_accepted()
    {
        var clientId = (string?)(await RegisterAsync())["client_id"];
        await _tool.KnowAsync(server, "admin");
        var key = (await _tool.JsonAsync("admin", "clients", "keys", "list", clientId!))["items"]![0]!;
        await _tool.SucceedAsync("admin", "clients", "keys", "quarantine", clientId!, (string)key["thumbprint"]!);
        var asked = await _tool.RunAsync("doctor");
        Assert.Equal(ExitCode.Unhealthy, asked.ExitCode);
        Assert.StartsWith("The server refuses: rule 4 (key). It says: The client is unknown or not active, or", asked.Out, StringComparison.Ordinal);
        Assert.Contains("next:  With the profile of an administrator the server says which rule, and why: dcr doctor --admin admin\n", asked.Out, StringComparison.Ordinal);
        var answer = await _tool.RunAsync("doctor", "--admin", "admin");
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        Assert.Contains("quarantined", answer.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_that_the_server_refuses_a_client_that_it_reads_nothing_of_and_how_to_learn_more()
    {
        await _tool.KnowAsync(server, "directory");
        // The right key under a kid that the server does not have.
        var answer = await _tool.RunAsync("doctor", "-p", "directory", "--kid", "another");
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        Assert.StartsWith("The server refuses: rule 3 or 4 (client, key). It says: ", answer.Out, StringComparison.Ordinal);
        Assert.Contains("dcr doctor -p directory --kid another --admin admin\n", answer.Out, StringComparison.Ordinal);
        var json = (await _tool.RunAsync("doctor", "-p", "directory", "--kid", "another", "--json")).Json;
        Assert.Equal("refused", (string?)json["verdict"]);
        Assert.False((bool)json["server_view"]!["accepted"]!);
        Assert.Equal("accepted", (string?)(await _tool.JsonAsync("doctor", "-p", "directory"))["verdict"]);
    }

    [Fact]
    public async Task Asks_about_an_assertion_in_a_file_without_using_it_up()
    {
        await _tool.KnowAsync(server, "warehouse", "admin");
        await _tool.SucceedAsync("assert", "-p", "warehouse", "--out", "good.jwt");
        var json = await _tool.JsonAsync("doctor", "good.jwt", "-p", "warehouse");
        Assert.True((bool)json["server_view"]!["accepted"]!);
        Assert.Equal(["passed", "passed", "passed", "passed", "passed", "passed", "passed", "unknown"], Outcomes(json));
        Assert.Equal("accepted", (string?)(await _tool.JsonAsync("doctor", "good.jwt", "--admin", "admin"))["verdict"]);
        await _tool.SucceedAsync("assert", "-p", "warehouse", "--kid", "wrong", "--out", "wrong.jwt");
        Assert.Equal(ExitCode.Unhealthy, (await _tool.RunAsync("doctor", "wrong.jwt", "-p", "warehouse", "--kid", "wrong")).ExitCode);
    }

    [Theory]
    [InlineData("default", "dcr doctor --client-id 'no body'", "token", "--client-id", "no body")]
    [InlineData("directory", "dcr doctor -p directory --kid other", "token", "-p", "directory", "--scope", "dcr", "--kid", "other")]
    [InlineData("stranger", "dcr doctor -p stranger", "register", "-p", "new", "--via", "stranger")]
    [InlineData("admin", "dcr doctor -p admin", "admin", "clients", "list")]
    public async Task Is_named_after_a_refusal_as_it_can_be_run(string profile, string doctor, params string[] arguments)
    {
        await _tool.KnowAsync(server, "default", "directory");
        if (profile is "stranger" or "admin")
        {
            await _tool.SucceedAsync("profile", "set", profile, "--server", server.Issuer, "--client-id", "stranger", "--key", server.WarehouseKey);
        }
        var refused = await _tool.RunAsync(arguments);
        Assert.Equal(ExitCode.Refused, refused.ExitCode);
        Assert.Contains($"next:  Find out why: {doctor}\n", refused.Error, StringComparison.Ordinal);
        var answer = await _tool.ShellAsync(doctor);
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        Assert.StartsWith("The server refuses: rule 3 or 4", answer.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rejects_an_assertion_and_shows_nothing_of_it()
    {
        using var assertion = Assertion(server.Issuer + "/");
        var jwt = assertion.Write();
        var answer = await DiagnoseAsync(jwt, "--verbose");
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        Assert.StartsWith($"Rule 6 (audience) fails: aud has a slash at the end and the issuer has none: {server.Issuer}.\n", answer.Out, StringComparison.Ordinal);
        Assert.Contains($"next:  Put the issuer into aud: {server.Issuer}", answer.Out, StringComparison.Ordinal);
        Assert.All(jwt.Split('.'), part => Assert.DoesNotContain(part, answer.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Gives_JSON_of_one_shape()
    {
        using var assertion = Assertion(server.Issuer);
        assertion.Claims.Remove("exp");
        var answer = await DiagnoseAsync(assertion.Write(), "--json");
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        var json = answer.Json;
        Assert.Equal(["verdict", "rules", "warnings", "server", "clock", "published_keys", "server_view"], json.Select(member => member.Key));
        Assert.Equal("refused", (string?)json["verdict"]);
        Assert.Equal(["shape", "algorithm", "client", "key", "signature", "audience", "times", "single_use"], json["rules"]!.AsArray().Select(rule => (string?)rule!["name"]));
        var times = json["rules"]![6]!.AsObject();
        Assert.Equal(["rule", "name", "outcome", "detail", "next"], times.Select(member => member.Key));
        Assert.Equal((7, "failed", "exp is missing"), ((int)times["rule"]!, (string?)times["outcome"], (string?)times["detail"]));
        Assert.Equal(server.Issuer + "/oauth/token", (string?)json["server"]!["token_endpoint"]);
        Assert.Equal(("server", 0), ((string?)json["clock"]!["judged_by"], (int)json["clock"]!["server_ahead_seconds"]!));
    }

    [Fact]
    public async Task Sends_nothing_when_it_is_offline()
    {
        using var host = new LoopbackHost().AsServer();
        await _tool.KnowAsync(server, "warehouse");
        var json = await _tool.JsonAsync("doctor", "-p", "warehouse", "--server", host.Address, "--offline");
        Assert.Equal("unknown", (string?)json["verdict"]);
        Assert.Equal(["passed", "passed", "unknown", "unknown", "passed", "passed", "passed", "passed"], Outcomes(json));
        Assert.Equal("local", (string?)json["clock"]!["judged_by"]);
        Assert.Equal(ExitCode.Usage, (await _tool.RunAsync("doctor", "-p", "warehouse", "--offline", "--jwks", host.JwksUri)).ExitCode);
        Assert.Equal(ExitCode.Usage, (await _tool.RunAsync("doctor", "-p", "warehouse", "--offline", "--admin", "warehouse")).ExitCode);
        Assert.Equal(0, host.Requests);
    }

    [Fact]
    public async Task Goes_on_without_a_server_that_is_away()
    {
        await _tool.KnowAsync(server, "warehouse");
        var answer = await _tool.SucceedAsync("doctor", "-p", "warehouse", "--server", $"http://127.0.0.1:{Ports.Free()}");
        Assert.Contains("warning: Only the client's side was examined: http://127.0.0.1:", answer.Out, StringComparison.Ordinal);
        Assert.StartsWith("Nothing fails that can be seen from here. Not known: rules 3 (client), 4 (key).", answer.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_that_the_server_calls_itself_by_another_name()
    {
        await _tool.KnowAsync(server, "warehouse");
        var other = server.Issuer.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        var answer = await _tool.RunAsync("doctor", "-p", "warehouse", "--server", other);
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        Assert.Contains($"aud is {other}, and this server is {server.Issuer}: the assertion is for another server", answer.Out, StringComparison.Ordinal);
        Assert.Contains($"warning: The server calls itself {server.Issuer}, and it was called {other} here", answer.Out, StringComparison.Ordinal);
        Assert.Contains($"dcr profile set warehouse --server {server.Issuer}\n", answer.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Says_how_far_the_clock_of_whoever_signed_is_off()
    {
        using var host = new LoopbackHost { Ahead = TimeSpan.FromSeconds(-47) }.AsServer();
        await _tool.KnowAsync(server, "warehouse");
        var answer = await _tool.RunAsync("doctor", "-p", "warehouse", "--server", host.Address);
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        Assert.Matches("Rule 7 \\(times\\) fails: iat is 4[678] s in the future: the clock of whoever signed is 4[678] s ahead of the server's", answer.Out);
        Assert.Matches("warning: The clock here is 4[678] s ahead of the server's.", answer.Out);
    }

    [Fact]
    public async Task Compares_with_the_keys_in_a_file()
    {
        await _tool.KnowAsync(server, "warehouse");
        await _tool.SucceedAsync("keys", "jwks", server.WarehouseKey, "--out", "good.json");
        Assert.Equal("passed", Outcomes(await _tool.JsonAsync("doctor", "-p", "warehouse", "--offline", "--jwks", "good.json"))[3]);
        await _tool.SucceedAsync("keys", "jwks", server.DirectoryKey, "--out", "other.json");
        var answer = await _tool.RunAsync("doctor", "-p", "warehouse", "--offline", "--jwks", "other.json");
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        Assert.Matches("Rule 4 \\(key\\) fails: the kid [^ ]+ is not in the set in other.json; it has [^ ]+\\.", answer.Out);
        Assert.Equal(ExitCode.Usage, (await _tool.RunAsync("doctor", "-p", "warehouse", "--offline", "--jwks", "none.json")).ExitCode);
    }

    [Fact]
    public async Task Compares_with_the_keys_at_a_URL_and_says_when_they_were_fetched()
    {
        using var host = new LoopbackHost();
        using var assertion = Assertion(server.Issuer);
        assertion.Header["kid"] = "k2";
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        host.Body = TestAssertion.Jwks(TestAssertion.Jwk(assertion.Key, "k1"), TestAssertion.Jwk(other, "k3"));
        var answer = await DiagnoseAsync(assertion.Write(), "--jwks", host.JwksUri);
        Assert.Matches($"the kid k2 is not in the set fetched at ..:..:.. UTC from {host.JwksUri}; it has k1 k3", answer.Out);
        Assert.Contains("(max-age 120 s): k1 k3", answer.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpStatusCode.Found, "application/json", "the answer is 302; it must be 200, without redirects")]
    [InlineData(HttpStatusCode.NotFound, "text/html", "the answer is 404; it must be 200, without redirects")]
    public async Task Rejects_published_keys_that_the_server_would_not_take(HttpStatusCode status, string contentType, string why)
    {
        using var host = new LoopbackHost { Status = status, ContentType = contentType };
        using var assertion = Assertion(server.Issuer);
        var answer = await DiagnoseAsync(assertion.Write(), "--jwks", host.JwksUri);
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        Assert.Contains($"is refused whole: {why}", answer.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Does_not_read_more_than_the_server_would_nor_show_a_private_key()
    {
        using var host = new LoopbackHost();
        using var assertion = Assertion(server.Issuer);
        var jwk = TestAssertion.Jwk(assertion.Key, "k1");
        jwk["d"] = "c2VjcmV0LW9mLWsx";
        host.Body = TestAssertion.Jwks(jwk);
        var answer = await DiagnoseAsync(assertion.Write(), "--jwks", host.JwksUri, "--verbose");
        Assert.Contains("published with its private half", answer.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", answer.ToString(), StringComparison.Ordinal);
        host.Body = new JsonObject { ["keys"] = new JsonArray(), ["more"] = new string('x', 64 * 1024) };
        Assert.Contains("it is larger than 65536 bytes", (await DiagnoseAsync(assertion.Write(), "--jwks", host.JwksUri)).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Looks_at_the_jwks_uri_of_a_registration()
    {
        using var host = new LoopbackHost();
        await _tool.SucceedAsync("keys", "new", "partner.pem");
        var jwks = (await _tool.SucceedAsync("keys", "jwks", "partner.pem")).Json;
        host.Body = jwks;
        await RegisterAsync("--key", "partner.pem", "--jwks-uri", host.JwksUri);
        Assert.Equal("accepted", (string?)(await _tool.JsonAsync("doctor"))["verdict"]);
        // The key is withdrawn, and another one is there.
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        host.Body = TestAssertion.Jwks(TestAssertion.Jwk(other, "k9"));
        var answer = await _tool.RunAsync("doctor", "--json");
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        Assert.Matches($"is not in the set fetched at ..:..:.. UTC from {host.JwksUri}; it has k9", Detail(answer.Json, AssertionRule.Key));
        Assert.Equal(120, (int)answer.Json["published_keys"]!["max_age_seconds"]!);
    }

    [Fact]
    public async Task Says_that_a_client_is_suspended()
    {
        var clientId = (string?)(await RegisterAsync())["client_id"];
        await _tool.KnowAsync(server, "admin");
        var token = (await _tool.SucceedAsync("token", "-p", "admin", "--scope", "dcr.admin", "--show-secret")).Out.Trim();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"admin/v1/clients/{clientId}/suspend") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token) } };
        (await server.Http.SendAsync(request, Cancelled)).EnsureSuccessStatusCode();
        var answer = await _tool.RunAsync("doctor");
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        Assert.Contains("Rule 3 (client) fails:", answer.Out, StringComparison.Ordinal);
        Assert.Contains("which is suspended or has expired", answer.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Takes_the_word_of_the_server_and_uses_nothing_up()
    {
        await _tool.KnowAsync(server, "admin", "warehouse");
        await _tool.SucceedAsync("assert", "-p", "warehouse", "--out", "good.jwt");
        // Seen from here: another client, and no server.
        var accepted = await _tool.JsonAsync("doctor", "good.jwt", "--client-id", "somebody-else", "--admin", "admin");
        Assert.Equal("accepted", (string?)accepted["verdict"]);
        Assert.All(Outcomes(accepted), outcome => Assert.Equal("passed", outcome));
        Assert.Equal(("warehouse-7", "active"), ((string?)accepted["server_view"]!["client_id"], (string?)accepted["server_view"]!["client_status"]));
        var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ["client_assertion"] = (await File.ReadAllTextAsync(_tool.PathOf("good.jwt"), Cancelled)).Trim(),
        });
        Assert.Equal(HttpStatusCode.OK, (await server.Http.PostAsync("oauth/token", form, Cancelled)).StatusCode);

        var answer = await _tool.RunAsync("doctor", "good.jwt", "--admin", "admin", "--verbose");
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        Assert.StartsWith("Rule 8 (single_use) fails: jti ", answer.Out, StringComparison.Ordinal);
        Assert.Contains("has been used before", answer.Out, StringComparison.Ordinal);
        var signature = (await File.ReadAllTextAsync(_tool.PathOf("good.jwt"), Cancelled)).Trim().Split('.')[2];
        Assert.DoesNotContain(signature, answer.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fails_when_the_word_of_the_server_cannot_be_had()
    {
        await _tool.KnowAsync(server, "warehouse");
        var answer = await _tool.RunAsync("doctor", "-p", "warehouse", "--admin", "warehouse");
        Assert.Equal(ExitCode.Refused, answer.ExitCode);
        Assert.Contains("warning: The server does not answer the administrator: The server refused: 400 invalid_scope", answer.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Takes_no_assertion_among_its_arguments()
    {
        using var assertion = Assertion(server.Issuer);
        var jwt = assertion.Write();
        var answer = await _tool.RunAsync("doctor", jwt);
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("It is a credential", answer.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(jwt.Split('.')[2], answer.ToString(), StringComparison.Ordinal);
    }

    private static TestAssertion Assertion(string audience) => new("warehouse-7", audience, DateTimeOffset.UtcNow);

    private static List<string?> Outcomes(JsonObject diagnosis) => [.. diagnosis["rules"]!.AsArray().Select(rule => (string?)rule!["outcome"])];

    private static string Detail(JsonObject diagnosis, AssertionRule rule) => (string)diagnosis["rules"]![(int)rule - 1]!["detail"]!;

    private Task<DcrAnswer> DiagnoseAsync(string jwt, params IReadOnlyList<string> arguments) =>
        _tool.RunWithInputAsync(jwt + "\n", ["doctor", "-", "--server", server.Issuer, .. arguments]);

    private async Task<JsonObject> RegisterAsync(params IReadOnlyList<string> arguments)
    {
        await _tool.KnowAsync(server, "directory");
        return await _tool.JsonAsync(["register", "--via", "directory", "--scope", "read", .. arguments]);
    }
}
