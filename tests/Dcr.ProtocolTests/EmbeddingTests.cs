using System.Net;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The server within a host of somebody else: it brings all that its routes need, and changes nothing of the host.</summary>
public sealed class EmbeddingTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [Requirement("P-EMBED")]
    [InlineData("", null)]
    [InlineData("/auth", null)]
    [InlineData("/auth", "/auth")]
    public async Task A_client_registers_and_manages_itself_beside_the_routes_of_the_host(string issuerPath, string? group)
    {
        await using var server = await StartAsync(issuerPath, group);
        var discovered = (await server.GetAsync("/.well-known/oauth-authorization-server" + issuerPath)).Succeeded();
        Assert.Equal(server.Issuer + "/oauth/register", discovered["registration_endpoint"]);

        var client = await server.OnboardAsync();
        Assert.NotEmpty(await server.AccessTokenAsync(client.Key, client.ClientId));
        Assert.Equal(client.ClientId, (await server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded()["client_id"]);

        (await server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/revoke", await server.AdminTokenAsync())).Succeeded();
        (await server.PostTokenAsync(server.Assertion(client.Key, client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        Assert.Equal("Healthy", await server.Http.GetStringAsync($"{issuerPath}/health/ready".TrimStart('/'), Cancellation));
    }

    [Fact]
    [Requirement("P-EMBED")]
    public async Task The_routes_of_the_host_stay_as_they_were()
    {
        await using var server = await StartAsync("/auth", null);
        using var page = await server.Http.GetAsync("", Cancellation);
        Assert.Equal("A page of the host.", await page.Content.ReadAsStringAsync(Cancellation));
        Assert.Null(page.Headers.CacheControl);
        Assert.False(page.Headers.Contains("X-Content-Type-Options"));

        // Larger than any body of this server.
        using var large = new ByteArrayContent(new byte[1_000_000]);
        using var uploaded = await server.Http.PostAsync("upload", large, Cancellation);
        Assert.Equal("1000000", await uploaded.Content.ReadAsStringAsync(Cancellation));

        using var nowhere = await server.Http.GetAsync("nowhere", Cancellation);
        Assert.Equal(HttpStatusCode.NotFound, nowhere.StatusCode);
        Assert.Empty(await nowhere.Content.ReadAsStringAsync(Cancellation));

        using var broken = await server.Http.GetAsync("broken", Cancellation);
        Assert.Equal(HttpStatusCode.InternalServerError, broken.StatusCode);
        Assert.DoesNotContain("server_error", await broken.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);

        // The one scheme of the host is its default, as it is without the server.
        using var knock = new HttpRequestMessage(HttpMethod.Get, new Uri(server.Http.BaseAddress!, "members"));
        knock.Headers.Add("Knock", "twice");
        using var member = await server.Http.SendAsync(knock, Cancellation);
        Assert.Equal(HttpStatusCode.OK, member.StatusCode);
        using var stranger = await server.Http.GetAsync("members", Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, stranger.StatusCode);
    }

    [Fact]
    [Requirement("P-EMBED")]
    public async Task The_routes_of_the_server_have_its_own_rules_in_any_host()
    {
        await using var server = await StartAsync("", null, server => server.Settings["Dcr:Cors:Origins"] = "https://app.example");
        var refused = (await server.GetAsync("/admin/v1/clients")).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        Assert.Contains("no-store", refused.Response.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        Assert.Equal("Bearer", Assert.Single(refused.Response.Headers.WwwAuthenticate).Scheme);

        using var head = new HttpRequestMessage(HttpMethod.Head, server.Issuer + "/oauth/jwks");
        using var answered = await server.Http.SendAsync(head, Cancellation);
        Assert.Equal(HttpStatusCode.OK, answered.StatusCode);

        using var large = new StringContent(new string(' ', 70_000), null, "application/json");
        using var tooLarge = await server.Http.PostAsync(server.Issuer + "/oauth/token", large, Cancellation);
        Assert.True(tooLarge.StatusCode is HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.UnsupportedMediaType, $"{tooLarge.StatusCode}");

        using var preflight = new HttpRequestMessage(HttpMethod.Options, server.Issuer + "/oauth/token");
        preflight.Headers.Add("Origin", "https://app.example");
        preflight.Headers.Add("Access-Control-Request-Method", "POST");
        using var allowed = await server.Http.SendAsync(preflight, Cancellation);
        Assert.Equal("https://app.example", Assert.Single(allowed.Headers.GetValues("Access-Control-Allow-Origin")));
    }

    [Fact]
    [Requirement("P-EMBED")]
    public async Task Two_hosts_in_one_process_have_nothing_in_common()
    {
        await using var one = await StartAsync("/auth", null);
        await using var other = await StartAsync("/auth", null);
        var client = await one.OnboardAsync();
        (await other.PostTokenAsync(other.Assertion(client.Key, client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await other.GetAsync("/auth/admin/v1/clients", await one.AdminTokenAsync())).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        Assert.NotEmpty(await one.AccessTokenAsync(client.Key, client.ClientId));
    }

    [Fact]
    [Requirement("P-EMBED")]
    public async Task A_group_elsewhere_than_the_issuer_is_a_fault_that_names_both()
    {
        await using var server = new EmbeddedServer { IssuerPath = "/auth", Group = "/elsewhere" };
        await server.PrepareAsync();
        var fault = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await server.StartAsync();
            await server.Http.GetStringAsync("", Cancellation);
        });
        Assert.Contains("/elsewhere", $"{fault}{string.Concat(server.Log.Lines)}", StringComparison.Ordinal);
    }

    private static async Task<EmbeddedServer> StartAsync(string issuerPath, string? group, Action<EmbeddedServer>? change = null)
    {
        var server = new EmbeddedServer { IssuerPath = issuerPath, Group = group };
        change?.Invoke(server);
        await server.InitializeAsync();
        return server;
    }
}
