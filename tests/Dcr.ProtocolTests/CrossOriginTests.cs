using System.Net;
using System.Text;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.Options;
using Xunit;

namespace Dcr.ProtocolTests;

public sealed class CrossOriginServer : SqliteServer
{
    public const string Chosen = "https://app.example";
    public const string AlsoChosen = "http://localhost:3000";

    public CrossOriginServer()
    {
        Settings["Dcr:Cors:Origins:0"] = Chosen;
        Settings["Dcr:Cors:Origins:1"] = AlsoChosen;
    }
}

/// <summary>Scripts in browsers: the CORS protocol of the Fetch standard.</summary>
public sealed class CrossOriginTests(CrossOriginServer server) : ServerTests(server), IClassFixture<CrossOriginServer>
{
    private const string Stranger = "https://stranger.example";

    private async Task<Answer> SendAsync(string method, string path, string origin, HttpContent? content = null, string? token = null, params (string Name, string Value)[] headers) => await Server.SendAsync(
        new HttpMethod(method), path, token is null ? null : $"Bearer {token}", content, [("Origin", origin), .. headers]);

    private static string? Header(Answer answer, string name) => answer.Response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : null;

    [Theory]
    [Requirement("P-CORS")]
    [InlineData("/.well-known/oauth-authorization-server")]
    [InlineData("/.well-known/openid-configuration")]
    [InlineData("/oauth/jwks")]
    [InlineData("/oauth/status/0")]
    [InlineData("/keys/SET/jwks.json")]
    public async Task Anybodys_may_read_what_is_public(string path)
    {
        var client = await Server.OnboardAsync();
        await Server.AccessTokenAsync(client.Key, client.ClientId);
        path = path.Replace("SET", (await Server.AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created)["id"], StringComparison.Ordinal);
        foreach (var method in new[] { "GET", "HEAD" })
        {
            Assert.Equal("*", Header((await SendAsync(method, path, Stranger)).Succeeded(), "Access-Control-Allow-Origin"));
        }
        var preflight = await SendAsync("OPTIONS", path, Stranger, headers: [("Access-Control-Request-Method", "GET"), ("Access-Control-Request-Headers", "if-none-match")]);
        Assert.Equal(HttpStatusCode.NoContent, preflight.Status);
        Assert.Equal("*", Header(preflight, "Access-Control-Allow-Origin"));
    }

    [Theory]
    [Requirement("P-CORS")]
    [InlineData("POST", "/oauth/token")]
    [InlineData("POST", "/oauth/introspect")]
    [InlineData("POST", "/oauth/register")]
    [InlineData("GET", "/oauth/register/some-client")]
    [InlineData("PUT", "/oauth/register/some-client")]
    [InlineData("DELETE", "/oauth/register/some-client")]
    [InlineData("POST", "/oauth/register/some-client/keys")]
    public async Task Those_of_chosen_origins_may_call_the_protocol(string method, string path)
    {
        foreach (var origin in new[] { CrossOriginServer.Chosen, CrossOriginServer.AlsoChosen })
        {
            var preflight = await SendAsync("OPTIONS", path, origin, headers: [("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", "authorization,content-type,dpop,idempotency-key,if-match")]);
            Assert.Equal(HttpStatusCode.NoContent, preflight.Status);
            Assert.Equal(origin, Header(preflight, "Access-Control-Allow-Origin"));
            Assert.Contains(method, Header(preflight, "Access-Control-Allow-Methods"), StringComparison.Ordinal);
            Assert.Contains("dpop", Header(preflight, "Access-Control-Allow-Headers"), StringComparison.OrdinalIgnoreCase);
            var refused = await SendAsync(method, path, origin);
            Assert.True((int)refused.Status is >= 400 and < 500);
            Assert.Equal(origin, Header(refused, "Access-Control-Allow-Origin"));
            Assert.Contains("WWW-Authenticate", Header(refused, "Access-Control-Expose-Headers"), StringComparison.Ordinal);
            Assert.Null(Header(refused, "Access-Control-Allow-Credentials"));
        }
        Assert.Null(Header(await SendAsync("OPTIONS", path, Stranger, headers: [("Access-Control-Request-Method", method)]), "Access-Control-Allow-Origin"));
        Assert.Null(Header(await SendAsync(method, path, Stranger), "Access-Control-Allow-Origin"));
    }

    [Fact]
    [Requirement("P-CORS")]
    public async Task Those_of_chosen_origins_register_and_nobodys_use_the_admin_API()
    {
        using var content = new StringContent(Requests.Metadata(TestKey.Create()).ToJsonString(), Encoding.UTF8, "application/json");
        var registered = (await SendAsync("POST", "/oauth/register", CrossOriginServer.Chosen, content, await Server.InitialAccessTokenAsync())).Succeeded(HttpStatusCode.Created);
        Assert.Equal(CrossOriginServer.Chosen, Header(registered, "Access-Control-Allow-Origin"));
        foreach (var path in new[] { "/admin/v1/clients", "/oauth/revoke", "/health/ready" })
        {
            var answer = await SendAsync("OPTIONS", path, CrossOriginServer.Chosen, headers: ("Access-Control-Request-Method", "GET"));
            Assert.Null(Header(answer, "Access-Control-Allow-Origin"));
        }
    }
}

/// <summary>The setting itself.</summary>
public sealed class CrossOriginSettingTests
{
    [Fact]
    [Requirement("P-CORS")]
    public async Task Without_it_no_origin_is_chosen()
    {
        await using var server = new SqliteServer();
        await server.InitializeAsync();
        var answer = await server.SendAsync(HttpMethod.Options, "/oauth/token", null, null, ("Origin", "https://app.example"), ("Access-Control-Request-Method", "POST"));
        Assert.False(answer.Response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    [Requirement("P-CORS")]
    public async Task Takes_several_in_one_text()
    {
        await using var server = new SqliteServer();
        server.Settings["Dcr:Cors:Origins"] = "https://a.example, https://b.example:8443";
        await server.InitializeAsync();
        var answer = await server.SendAsync(HttpMethod.Post, "/oauth/token", null, null, ("Origin", "https://b.example:8443"));
        Assert.Equal("https://b.example:8443", answer.Response.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Theory]
    [Requirement("P-CORS", "P-OPTIONS")]
    [InlineData("*")]
    [InlineData("null")]
    [InlineData("https://app.example/")]
    [InlineData("https://APP.example")]
    [InlineData("http://app.example")]
    [InlineData("app.example")]
    public async Task Stops_the_start_when_it_has_what_no_browser_sends(string origin)
    {
        await using var server = new SqliteServer();
        server.Settings["Dcr:Cors:Origins:0"] = origin;
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(async () => await server.InitializeAsync());
        Assert.Contains("Dcr:Cors:Origins", fault.Message, StringComparison.Ordinal);
    }
}
