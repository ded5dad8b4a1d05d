using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>
/// What one host, one registrant and strangers can do to the downloads of others. The store plays no part in it: on SQLite.
/// </summary>
public sealed class KeyFetchTests(KeyFetchTests.ImpatientServer server) : ServerTests(server), IClassFixture<KeyFetchTests.ImpatientServer>
{
    /// <summary>A download, and the wait for its turn, have a second each.</summary>
    public sealed class ImpatientServer : SqliteServer
    {
        public ImpatientServer() => Settings["Dcr:Jwks:FetchTimeout"] = "00:00:01";
    }

    private static JsonObject At(string url)
    {
        var metadata = Requests.Metadata(TestKey.Create());
        metadata.Remove("jwks");
        metadata["jwks_uri"] = url;
        return metadata;
    }

    private Task<OnboardedClient> OnboardAsync(TestKey key, string url) => Server.OnboardAsync(key, m =>
    {
        m.Remove("jwks");
        m["jwks_uri"] = url;
    });

    private Task<Answer> UseAsync(OnboardedClient client, TestKey key) => Server.PostTokenAsync(Server.Assertion(key, client.ClientId).Sign());

    private async Task<Answer> ValidateAsync(string url) =>
        await Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/register?validate_only=true"), await Server.InitialAccessTokenAsync(), At(url));

    [Fact]
    [Requirement("P-SHARES")]
    public async Task Sixty_clients_of_a_slow_host_get_their_tokens_or_are_asked_to_come_again()
    {
        var key = TestKey.Create();
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(key).ToJsonString());
        var clients = new List<OnboardedClient>();
        for (var i = 0; i < 60; i++)
        {
            clients.Add(await OnboardAsync(key, $"{host.Url}?{i}"));
        }
        // Cold: what was downloaded for the registrations is too old to be used.
        Server.Time.Advance(TimeSpan.FromMinutes(61));
        host.Delay = TimeSpan.FromMilliseconds(300);
        var answers = await Task.WhenAll(clients.Select(client => UseAsync(client, key)));
        Assert.All(answers, answer =>
        {
            Assert.True(answer.Status is HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable, answer.Text);
            if (answer.Status == HttpStatusCode.ServiceUnavailable)
            {
                Assert.Equal("temporarily_unavailable", answer.Error);
                Assert.InRange(answer.Response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
            }
        });
        Assert.Contains(answers, answer => answer.Status == HttpStatusCode.OK);
        TestContext.Current.TestOutputHelper?.WriteLine($"{answers.Count(answer => answer.Status == HttpStatusCode.OK)} of {answers.Length} had their tokens at once");
        // A second is too short for all of them here; nothing of it is remembered.
        host.Delay = TimeSpan.Zero;
        foreach (var client in clients)
        {
            (await UseAsync(client, key)).Succeeded();
        }
    }

    [Fact]
    [Requirement("P-SHARES")]
    public async Task Registrations_at_a_mute_port_keep_no_client_of_the_host_from_its_new_key()
    {
        var (old, next) = (TestKey.Create(kid: "old"), TestKey.Create(kid: "next"));
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(old).ToJsonString());
        var client = await OnboardAsync(old, host.Url);
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var port = ((IPEndPoint)mute.LocalEndpoint).Port;
        var strangers = Enumerable.Range(0, 110).Select(i => ValidateAsync($"http://127.0.0.1:{port}/{i}")).ToList();
        host.Document = TestKey.Jwks(next).ToJsonString();
        (await UseAsync(client, next)).Succeeded();
        (await ValidateAsync(host.Url)).Succeeded();
        Assert.All(await Task.WhenAll(strangers), answer => Assert.True(answer.Status is HttpStatusCode.BadRequest or HttpStatusCode.ServiceUnavailable, answer.Text));
    }

    [Fact]
    [Requirement("OIDCC-10.1-02")]
    public async Task A_new_key_works_on_first_use_while_a_stranger_forges_kids()
    {
        var old = TestKey.Create(kid: "old");
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(old).ToJsonString());
        var client = await OnboardAsync(old, host.Url);
        var before = host.Requests;
        var forged = new List<Task<Answer>>();
        async Task ForgeAsync(int seconds, int each = 1)
        {
            for (var second = 0; second < seconds; second++)
            {
                forged.AddRange(Enumerable.Range(0, each).Select(_ => UseAsync(client, TestKey.Create(kid: Guid.NewGuid().ToString()))));
                await Task.Delay(20, Cancellation);
                Server.Time.Advance(TimeSpan.FromSeconds(1));
            }
        }
        await ForgeAsync(35);
        var next = TestKey.Create(kid: "next");
        host.Document = TestKey.Jwks(old, next).ToJsonString();
        var first = UseAsync(client, next);
        await ForgeAsync(25);
        await ForgeAsync(15, each: 0);
        (await first).Succeeded();
        Assert.All(await Task.WhenAll(forged), answer => answer.Refused(HttpStatusCode.Unauthorized, "invalid_client"));
        Assert.InRange(host.Requests - before, 5, 3 + 8);
    }

    [Fact]
    [Requirement("P-FETCH")]
    public async Task Tells_a_registrant_nothing_of_what_is_at_an_address()
    {
        await using var host = await JwksHost.StartAsync("<html>");
        var told = new List<string>();
        foreach (var url in new[] { host.Url, host.Url + "/missing", $"http://127.0.0.1:{Ports.Free()}/", $"http://localhost:{Ports.Free()}/", "http://no-such-name.invalid/" })
        {
            told.Add((await ValidateAsync(url)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks_uri").Description!);
        }
        Assert.Single(told.Distinct());
        Assert.Contains(Server.Log.Lines, line => line.Contains("the host answered 404", StringComparison.Ordinal));
    }

    [Fact]
    [Requirement("P-FETCH")]
    public async Task Sends_nothing_of_the_request_that_causes_a_download()
    {
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(TestKey.Create()).ToJsonString());
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Server.Http.BaseAddress!, Server.Path("/oauth/register?validate_only=true")))
        {
            Content = new StringContent(At(host.Url).ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new("Bearer", await Server.InitialAccessTokenAsync());
        request.Headers.TryAddWithoutValidation("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        request.Headers.TryAddWithoutValidation("tracestate", "vendor=secret");
        request.Headers.TryAddWithoutValidation("baggage", "tenant=secret");
        Assert.Equal(HttpStatusCode.OK, (await Server.Http.SendAsync(request, Cancellation)).StatusCode);
        Assert.StartsWith("Dcr/", host.LastHeaders["User-Agent"], StringComparison.Ordinal);
        Assert.Equal(["Accept", "Accept-Encoding", "Host", "User-Agent"], host.LastHeaders.Keys.Order());
    }
}
