using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Dcr.ProtocolTests.Support;
using Xunit;
using static Dcr.ProtocolTests.Support.ProcessRequests;

namespace Dcr.ProtocolTests;

/// <summary>The server and an API that takes its tokens, as two processes: a partner is stopped at both, and nobody else notices.</summary>
public abstract class SampleApiTests(DcrServer server) : ServerTests(server), IAsyncDisposable
{
    private static readonly TimeSpan s_refresh = TimeSpan.FromSeconds(2);

    private readonly string _address = $"http://127.0.0.1:{Ports.Free()}";
    private readonly string _apiAddress = $"http://127.0.0.1:{Ports.Free()}";

    private async Task<(ServerProcess Node, ServerProcess Api)> StartAsync()
    {
        await Server.PrepareAsync();
        var node = await ServerProcess.StartAsync(Server.Arguments(_address, _address), Server.Directory);
        var api = await ServerProcess.StartSampleApiAsync(
            ["--urls", _apiAddress, "--Issuer", _address, "--Audience", _address, "--StatusRefresh", s_refresh.ToString()], Server.Directory);
        return (node, api);
    }

    private async Task<(string ClientId, TestKey Key)> OnboardAsync(ServerProcess node)
    {
        var initial = (await TokenAsync(node, _address, Server.OnboardingKey, DcrServer.OnboardingClient, "dcr")).Succeeded()["access_token"];
        var key = TestKey.Create();
        var client = (await SendAsync(node, HttpMethod.Post, "oauth/register", initial, Requests.Metadata(key))).Succeeded(HttpStatusCode.Created);
        return (client["client_id"], key);
    }

    private static async Task<HttpStatusCode> CallAsync(ServerProcess api, string token, string scheme = "Bearer", HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, new Uri("hello", UriKind.Relative));
        request.Headers.Authorization = new AuthenticationHeaderValue(scheme, token);
        return (await api.Http.SendAsync(request, Cancellation)).StatusCode;
    }

    [Fact]
    [Requirement("P-RESOURCE", "P-REVTOKENS", "P-STATUS", "R9068-4-01")]
    public async Task A_revoked_partner_is_stopped_within_the_refresh_time_and_a_second_one_undisturbed()
    {
        var (node, api) = await StartAsync();
        await using var ofNode = node;
        await using var ofApi = api;
        var partner = await OnboardAsync(node);
        var second = await OnboardAsync(node);
        var token = (await TokenAsync(node, _address, partner.Key, partner.ClientId, "read")).Succeeded()["access_token"];
        var seconds = (await TokenAsync(node, _address, second.Key, second.ClientId, "read")).Succeeded()["access_token"];
        Assert.Equal(HttpStatusCode.OK, await CallAsync(api, token));

        // The second partner calls all along.
        using var stop = new CancellationTokenSource();
        var undisturbed = Task.Run(
            async () =>
            {
                var calls = 0;
                while (!stop.IsCancellationRequested)
                {
                    Assert.Equal(HttpStatusCode.OK, await CallAsync(api, seconds));
                    calls++;
                }
                return calls;
            },
            Cancellation);

        var admin = (await TokenAsync(node, _address, Server.AdminKey, DcrServer.Admin, "dcr.admin")).Succeeded()["access_token"];
        (await SendAsync(node, HttpMethod.Post, $"admin/v1/clients/{partner.ClientId}/revoke", admin)).Succeeded();
        var revoked = Stopwatch.StartNew();

        Assert.False((await IntrospectAsync(node, token)).Json["active"]!.GetValue<bool>());
        Assert.True((await IntrospectAsync(node, seconds)).Json["active"]!.GetValue<bool>());
        while (await CallAsync(api, token) == HttpStatusCode.OK)
        {
            Assert.True(revoked.Elapsed < s_refresh + TimeSpan.FromSeconds(1), $"still let in after {revoked.Elapsed}");
            await Task.Delay(50, Cancellation);
        }
        await stop.CancelAsync();
        Assert.True(await undisturbed > 10);
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, token));
    }

    [Fact]
    [Requirement("P-RESOURCE", "R9068-4-01", "R8725-3.12-01")]
    public async Task The_API_takes_only_tokens_for_it_with_its_scope()
    {
        var (node, api) = await StartAsync();
        await using var ofNode = node;
        await using var ofApi = api;
        var partner = await OnboardAsync(node);
        var token = (await TokenAsync(node, _address, partner.Key, partner.ClientId, "read")).Succeeded()["access_token"];

        Assert.Equal(HttpStatusCode.OK, await CallAsync(api, token));
        Assert.Equal(HttpStatusCode.Forbidden, await CallAsync(api, token, method: HttpMethod.Post));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, token, "DPoP"));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, token[..^4] + "AAAA"));
        // Tokens of this server that are for others, and a JWT that is no access token.
        var initial = (await TokenAsync(node, _address, Server.OnboardingKey, DcrServer.OnboardingClient, "dcr")).Succeeded()["access_token"];
        var admin = (await TokenAsync(node, _address, Server.AdminKey, DcrServer.Admin, "dcr.admin")).Succeeded()["access_token"];
        var assertion = new AssertionScenario(partner.Key, partner.ClientId, _address, DateTimeOffset.UtcNow).Sign();
        foreach (var other in new[] { initial, admin, assertion })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, other));
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Server.DisposeAsync();
    }

    [Fact]
    [Requirement("P-RESOURCE", "R9449-7-01", "R9449-4.3-03")]
    public async Task The_API_takes_a_bound_token_with_a_fresh_proof_only()
    {
        var (node, api) = await StartAsync();
        await using var ofNode = node;
        await using var ofApi = api;
        var partner = await OnboardAsync(node);
        var token = await BoundTokenAsync(node, partner.ClientId, partner.Key);
        string Proof(TestKey key, string? ath = null, string method = "GET") => DpopScenario.Proof(key, method, $"{_apiAddress}/hello", DateTimeOffset.UtcNow, ath ?? token).Sign();

        var proof = Proof(partner.Key);
        Assert.Equal(HttpStatusCode.OK, await CallWithProofAsync(api, token, proof));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallWithProofAsync(api, token, proof));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallWithProofAsync(api, token, Proof(TestKey.Create())));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallWithProofAsync(api, token, Proof(partner.Key, ath: "another token")));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallWithProofAsync(api, token, Proof(partner.Key, method: "POST")));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallWithProofAsync(api, token, "garbage"));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, token, "DPoP"));
        Assert.Equal(HttpStatusCode.Unauthorized, await CallAsync(api, token));
    }

    private async Task<string> BoundTokenAsync(ServerProcess node, string clientId, TestKey key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("oauth/token", UriKind.Relative))
        {
            Content = new FormUrlEncodedContent(Requests.TokenForm(new AssertionScenario(key, clientId, _address, DateTimeOffset.UtcNow).Sign(), "read")),
        };
        request.Headers.Add("DPoP", DpopScenario.Proof(key, "POST", $"{_address}/oauth/token", DateTimeOffset.UtcNow).Sign());
        return (await Answer.ReadAsync(await node.Http.SendAsync(request, Cancellation))).Succeeded()["access_token"];
    }

    private static async Task<HttpStatusCode> CallWithProofAsync(ServerProcess api, string token, string proof)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("hello", UriKind.Relative));
        request.Headers.Authorization = new AuthenticationHeaderValue("DPoP", token);
        request.Headers.Add("DPoP", proof);
        return (await api.Http.SendAsync(request, Cancellation)).StatusCode;
    }

    private Task<Answer> IntrospectAsync(ServerProcess node, string token) => PostFormAsync(node, "oauth/introspect", new Dictionary<string, string>
    {
        ["token"] = token,
        ["client_assertion_type"] = Requests.JwtBearer,
        ["client_assertion"] = new AssertionScenario(Server.ApiKey, DcrServer.Api, _address, DateTimeOffset.UtcNow).Sign(),
    });
}

public sealed class SampleApiTestsOnSqlite() : SampleApiTests(new SqliteServer());

public sealed class SampleApiTestsOnMongoDb() : SampleApiTests(new MongoDbServer());
