using System.Net;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>HEAD wherever GET is: RFC 9110 section 9.3.2.</summary>
public sealed class HeadRequestTests(SqliteServer server) : ServerTests(server), IClassFixture<SqliteServer>
{
    [Theory]
    [Requirement("P-HEAD")]
    [InlineData("/.well-known/oauth-authorization-server")]
    [InlineData("/.well-known/openid-configuration")]
    [InlineData("/oauth/jwks")]
    [InlineData("/openapi/v1.json")]
    [InlineData("/health/live")]
    public async Task Is_answered_as_GET_without_content(string path) => await SameAsync(path, null);

    [Fact]
    [Requirement("P-HEAD")]
    public async Task Is_answered_for_hosted_sets_status_lists_and_whoever_may_read()
    {
        var admin = await Server.AdminTokenAsync();
        var client = await Server.OnboardAsync();
        await Server.AccessTokenAsync(client.Key, client.ClientId);
        var set = (await Server.AdminAsync(HttpMethod.Post, "key-sets", admin)).Succeeded(HttpStatusCode.Created)["id"];
        await SameAsync($"/keys/{set}/jwks.json", null);
        await SameAsync("/oauth/status/0", null);
        await SameAsync(client.Path, client.RegistrationAccessToken);
        await SameAsync("/admin/v1/clients", admin);
        await SameAsync($"/admin/v1/clients/{client.ClientId}", admin);
        Assert.Equal(HttpStatusCode.Unauthorized, (await Server.SendAsync(HttpMethod.Head, "/admin/v1/clients", null, (HttpContent?)null)).Status);
    }

    [Fact]
    [Requirement("P-HEAD")]
    public async Task Is_proved_as_HEAD_where_a_token_is_bound()
    {
        var client = await Server.OnboardAsync(change: m => m["dpop_bound_access_tokens"] = true);
        var url = Server.Issuer + client.Path;
        async Task<HttpStatusCode> WithProofFor(HttpMethod method) => (await Server.SendAsync(
            HttpMethod.Head, client.Path, $"DPoP {client.RegistrationAccessToken}", null, (DpopScenario.Header, Server.Proof(client.Key, method, url, client.RegistrationAccessToken).Sign()))).Status;
        Assert.Equal(HttpStatusCode.OK, await WithProofFor(HttpMethod.Head));
        Assert.Equal(HttpStatusCode.Unauthorized, await WithProofFor(HttpMethod.Get));
    }

    [Fact]
    [Requirement("P-HEAD")]
    public async Task Is_refused_where_there_is_no_GET_and_named_where_there_is()
    {
        var refused = await Server.SendAsync(HttpMethod.Head, "/oauth/token", null, (HttpContent?)null);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, refused.Status);
        var allowed = (await Server.SendAsync(HttpMethod.Post, "/oauth/jwks", null, (HttpContent?)null)).Response.Content.Headers.Allow;
        Assert.Contains("GET", allowed);
        Assert.Contains("HEAD", allowed);
    }

    private async Task SameAsync(string path, string? token)
    {
        var get = (await Server.GetAsync(path, token)).Succeeded();
        var head = (await Server.SendAsync(HttpMethod.Head, path, token, (HttpContent?)null)).Succeeded();
        Assert.Equal("", head.Text);
        Assert.Equal(get.Response.Content.Headers.ContentType, head.Response.Content.Headers.ContentType);
        Assert.Equal(get.Response.Headers.CacheControl, head.Response.Headers.CacheControl);
        Assert.Equal(get.Response.Headers.ETag, head.Response.Headers.ETag);
    }
}
