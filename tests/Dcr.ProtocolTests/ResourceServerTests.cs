using System.Net;
using System.Net.Http.Headers;
using Dcr.ProtocolTests.Support;
using Dcr.ResourceServer;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The library for APIs, where the status list cannot be had or is none. By a clock that the tests move.</summary>
public sealed class ResourceServerTests(SqliteServer server) : ServerTests(server), IClassFixture<SqliteServer>
{
    private async Task<WebApplication> StartApiAsync(string issuer, Action<DcrResourceServerOptions>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls", $"http://127.0.0.1:{DcrServer.FreePort()}"]);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(Server.Time);
        builder.Services.AddDcrResourceServer(issuer, issuer, configure);
        var api = builder.Build();
        api.MapGet("/", () => "in").RequireAuthorization();
        await api.StartAsync(Cancellation);
        return api;
    }

    private static async Task<HttpStatusCode> CallAsync(WebApplication api, string token)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return (await http.GetAsync(new Uri(api.Urls.First()), Cancellation)).StatusCode;
    }

    [Fact]
    [Requirement("P-RESOURCE", "TSL-8.3-01")]
    public async Task Goes_on_with_the_last_list_while_the_server_is_away_and_not_for_ever()
    {
        await using var other = new SqliteServer();
        await other.InitializeAsync();
        await using var api = await StartApiAsync(other.Issuer);
        var client = await other.OnboardAsync();
        var token = await other.AccessTokenAsync(client.Key, client.ClientId);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(api, token));

        await other.StopAsync();
        Server.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(HttpStatusCode.OK, await CallAsync(api, token));
        Server.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, token));
    }

    [Fact]
    [Requirement("P-RESOURCE")]
    public async Task Learns_of_a_stopped_client_once_its_list_is_old()
    {
        await using var api = await StartApiAsync(Server.Issuer, options => options.StatusRefresh = TimeSpan.FromSeconds(30));
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(api, token));
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend", await Server.AdminTokenAsync())).Succeeded();
        Assert.Equal(HttpStatusCode.OK, await CallAsync(api, token));
        Server.Time.Advance(TimeSpan.FromSeconds(31));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, token));
    }

    [Fact]
    [Requirement("P-RESOURCE")]
    public async Task Takes_bound_tokens_only_where_it_is_told_so()
    {
        await using var api = await StartApiAsync(Server.Issuer, options => options.RequireDpop = true);
        var client = await Server.OnboardAsync();
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, await Server.AccessTokenAsync(client.Key, client.ClientId)));
    }

    [Theory]
    [Requirement("P-OPTIONS")]
    [InlineData("http://as.example", "https://api.example", "Issuer")]
    [InlineData("https://as.example", "", "Audience")]
    public async Task Does_not_start_with_settings_that_are_not_safe(string issuer, string audience, string names)
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls", $"http://127.0.0.1:{DcrServer.FreePort()}"]);
        builder.Services.AddDcrResourceServer(issuer, audience);
        await using var api = builder.Build();
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => api.StartAsync(Cancellation));
        Assert.Contains(names, fault.Message, StringComparison.Ordinal);
    }
}
