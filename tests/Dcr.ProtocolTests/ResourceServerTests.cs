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
    private async Task<WebApplication> StartApiAsync(string issuer, Action<DcrResourceServerOptions>? configure = null, TimeProvider? time = null)
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls", $"http://127.0.0.1:{Ports.Free()}"]);
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(time ?? Server.Time);
        builder.Services.AddDcrResourceServer(issuer, issuer, configure);
        var api = builder.Build();
        api.MapGet("/", () => "in").RequireAuthorization();
        await api.StartAsync(Cancellation);
        return api;
    }

    private static async Task<HttpStatusCode> CallAsync(WebApplication api, string token, string? proof = null)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(proof is null ? "Bearer" : "DPoP", token);
        if (proof is not null)
        {
            http.DefaultRequestHeaders.Add("DPoP", proof);
        }
        return (await http.GetAsync(new Uri(api.Urls.First()), Cancellation)).StatusCode;
    }

    private static async Task<IReadOnlyList<HttpStatusCode>> CallByHundredAsync(WebApplication api, string token)
    {
        var began = TimeProvider.System.GetTimestamp();
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => CallAsync(api, token)));
        // One time-out is 5 s; one after the other they would be 500 s.
        Assert.InRange(TimeProvider.System.GetElapsedTime(began), TimeSpan.Zero, TimeSpan.FromSeconds(30));
        return answers;
    }

    private async Task<(TestKey Key, string Token)> BoundTokenAsync()
    {
        var client = await Server.OnboardAsync();
        var form = Requests.TokenForm(Server.Assertion(client.Key, client.ClientId).Sign());
        var token = (await Server.PostTokenAsync(form, (DpopScenario.Header, Server.TokenProof(client.Key).Sign()))).Succeeded()["access_token"];
        return (client.Key, token);
    }

    private JwtScenario Proof(WebApplication api, TestKey key, string token) => Server.Proof(key, HttpMethod.Get, api.Urls.First() + "/", token);

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

    [Fact]
    [Requirement("P-RESOURCE", "P-REFRESH")]
    public async Task A_hundred_callers_have_their_answer_within_one_time_out_while_the_server_is_frozen()
    {
        await using var store = new SqliteServer();
        await store.PrepareAsync();
        var issuer = $"http://127.0.0.1:{Ports.Free()}";
        await using var process = await ServerProcess.StartAsync(store.Arguments(issuer, issuer), store.Directory);
        var key = TestKey.Create();
        var initial = (await ProcessRequests.TokenAsync(process, issuer, store.OnboardingKey, DcrServer.OnboardingClient, "dcr")).Succeeded()["access_token"];
        var registered = (await ProcessRequests.SendAsync(process, HttpMethod.Post, "oauth/register", initial, Requests.Metadata(key))).Succeeded(HttpStatusCode.Created);
        var token = (await ProcessRequests.TokenAsync(process, issuer, key, registered["client_id"], "read")).Succeeded()["access_token"];
        await using var warm = await StartApiAsync(issuer, options => options.StatusRefresh = TimeSpan.FromSeconds(1), TimeProvider.System);
        await using var cold = await StartApiAsync(issuer, time: TimeProvider.System);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(warm, token));

        await process.FreezeAsync();
        await Task.Delay(TimeSpan.FromSeconds(1.5), Cancellation);
        Assert.All(await CallByHundredAsync(warm, token), status => Assert.Equal(HttpStatusCode.OK, status));
        Assert.All(await CallByHundredAsync(cold, token), status => Assert.Equal(HttpStatusCode.Unauthorized, status));
    }

    [Fact]
    [Requirement("P-RESOURCE", "P-REFRESH")]
    public async Task Learns_of_a_stopped_client_also_after_a_step_back_of_the_clock()
    {
        await using var api = await StartApiAsync(Server.Issuer);
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(api, token));
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend", await Server.AdminTokenAsync())).Succeeded();
        Server.Time.StepWall(TimeSpan.FromSeconds(-9));
        Server.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, token));
        Server.Time.StepWall(TimeSpan.FromSeconds(9));
    }

    [Fact]
    [Requirement("P-RESOURCE", "P-SIGNKEY")]
    public async Task Gives_up_the_keys_that_the_server_has_given_up_and_takes_those_that_follow()
    {
        await using var other = new SqliteServer();
        await other.InitializeAsync();
        await using var api = await StartApiAsync(other.Issuer);
        var client = await other.OnboardAsync();
        var before = await other.AccessTokenAsync(client.Key, client.ClientId);
        Assert.Equal(HttpStatusCode.OK, await CallAsync(api, before));
        (await other.AdminAsync(HttpMethod.Post, "signing-keys/rotate", new() { ["emergency"] = true })).Succeeded();
        Assert.Equal(HttpStatusCode.OK, await CallAsync(api, await other.AccessTokenAsync(client.Key, client.ClientId)));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, before));
    }

    [Theory]
    [Requirement("P-RESOURCE", "R9449-4.3-02")]
    [InlineData(-69.5, true)]
    [InlineData(-0.25, true)]
    [InlineData(9.5, true)]
    [InlineData(-71.5, false)]
    [InlineData(11.5, false)]
    public async Task Takes_proofs_by_the_times_of_the_server_also_with_fractions_of_seconds(double seconds, bool isTaken)
    {
        await using var api = await StartApiAsync(Server.Issuer);
        var (key, token) = await BoundTokenAsync();
        var issuedAt = (Server.Time.GetUtcNow().AddSeconds(seconds) - DateTimeOffset.UnixEpoch).TotalSeconds;
        var proof = Proof(api, key, token).WithClaim("iat", issuedAt).Sign();
        Assert.Equal(isTaken ? HttpStatusCode.OK : HttpStatusCode.Unauthorized, await CallAsync(api, token, proof));
    }

    [Theory]
    [Requirement("P-RESOURCE")]
    [InlineData("iat", "-9223372036854775808")]
    [InlineData("iat", "9223372036854775807")]
    [InlineData("iat", "1e300")]
    [InlineData("iat", "1e999")]
    [InlineData("iat", "-1")]
    [InlineData("iat", "null")]
    [InlineData("iat", "\"now\"")]
    [InlineData("iat", "[]")]
    [InlineData("jti", "{}")]
    [InlineData("htu", "\"https://[::%31]/\"")]
    [InlineData("htu", "7")]
    [InlineData("jwk", "null")]
    [InlineData("jwk", "\"key\"")]
    [InlineData("jwk", "{}")]
    [InlineData("jwk", "{\"kty\":\"RSA\",\"n\":\"!\",\"e\":\"AQAB\"}")]
    [InlineData("jwk", "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"!\",\"y\":\"!\"}")]
    [InlineData("jwk", "{\"kty\":\"EC\"}")]
    [InlineData("jwk", "{\"kty\":7}")]
    public async Task Refuses_a_proof_that_is_none_and_fails_at_nothing(string member, string json)
    {
        await using var api = await StartApiAsync(Server.Issuer);
        var (key, token) = await BoundTokenAsync();
        const string Here = "\"(here)\"";
        var scenario = member == "jwk" ? Proof(api, key, token).WithHeader(member, "(here)") : Proof(api, key, token).WithClaim(member, "(here)");
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, token, scenario.Sign(text => text.Replace(Here, json, StringComparison.Ordinal))));
    }

    [Theory]
    [Requirement("P-RESOURCE", "P-REFRESH")]
    [InlineData(-5)]
    [InlineData(-20)]
    [InlineData(-24 * 60)]
    [InlineData(-100 * 24 * 60)]
    [InlineData(5)]
    public async Task Takes_a_proof_once_whatever_becomes_of_the_clock(int minutes)
    {
        var time = new TestClock(Server.Time.GetUtcNow());
        await using var api = await StartApiAsync(Server.Issuer, options => options.MaxStatusAge = TimeSpan.FromDays(1), time);
        var (key, token) = await BoundTokenAsync();
        var proof = Proof(api, key, token).Sign();
        Assert.Equal(HttpStatusCode.OK, await CallAsync(api, token, proof));

        time.StepWall(TimeSpan.FromMinutes(minutes));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, token, proof));
        // By this clock the proof is over, or not yet made; another one is taken.
        Assert.Equal(HttpStatusCode.OK, await CallAsync(api, token, Proof(api, key, token).WithClaim("iat", time.GetUtcNow().ToUnixTimeSeconds()).Sign()));
        if (minutes > 0)
        {
            time.StepWall(TimeSpan.FromMinutes(-minutes));
        }
        else
        {
            time.Advance(TimeSpan.FromMinutes(-minutes));
        }
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, token, proof));
    }

    [Theory]
    [Requirement("P-OPTIONS")]
    [InlineData("http://as.example", "https://api.example", "Issuer")]
    [InlineData("https://as.example", "", "Audience")]
    public async Task Does_not_start_with_settings_that_are_not_safe(string issuer, string audience, string names)
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls", $"http://127.0.0.1:{Ports.Free()}"]);
        builder.Services.AddDcrResourceServer(issuer, audience);
        await using var api = builder.Build();
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => api.StartAsync(Cancellation));
        Assert.Contains(names, fault.Message, StringComparison.Ordinal);
    }
}
