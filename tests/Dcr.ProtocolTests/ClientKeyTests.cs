using System.Net;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Client keys that renew, and keys that an administrator blocks: OpenID Connect Core section 10.1.1.</summary>
public abstract class ClientKeyTests(DcrServer server) : ServerTests(server)
{
    private Task<OnboardedClient> OnboardAsync(TestKey key, JwksHost host) => OnboardAsync(key, host.Url);

    private Task<Answer> UseAsync(OnboardedClient client, TestKey key) => Server.PostTokenAsync(Server.Assertion(key, client.ClientId).Sign());

    private async Task<Answer> AdminAsync(HttpMethod method, string path) => await Server.AdminAsync(method, path, await Server.AdminTokenAsync());

    [Fact]
    [Requirement("OIDCC-10.1-02", "OIDCC-10.1-03")]
    public async Task Old_and_new_key_work_side_by_side_until_the_old_one_is_withdrawn()
    {
        var old = TestKey.Create(kid: "old");
        var next = TestKey.Create(kid: "next");
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(old).ToJsonString());
        var client = await OnboardAsync(old, host);
        (await UseAsync(client, old)).Succeeded();

        host.Document = TestKey.Jwks(old, next).ToJsonString();
        (await UseAsync(client, next)).Succeeded();
        (await UseAsync(client, old)).Succeeded();

        host.Document = TestKey.Jwks(next).ToJsonString();
        Server.Time.Advance(TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(1));
        (await UseAsync(client, old)).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await UseAsync(client, next)).Succeeded();
    }

    [Fact]
    public async Task Shows_each_key_how_fresh_it_is_and_when_it_was_used()
    {
        var used = TestKey.Create(kid: "used");
        var unused = TestKey.Create(kid: "unused");
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(used, unused).ToJsonString());
        var client = await OnboardAsync(used, host);
        (await UseAsync(client, used)).Succeeded();

        var keys = (await AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}/keys")).Succeeded().Json["items"]!.AsArray();
        Assert.Equal(["used", "unused"], keys.Select(key => key!["kid"]!.GetValue<string>()));
        Assert.All(keys, key => Assert.Equal("active", key!["state"]!.GetValue<string>()));
        Assert.Equal(used.Thumbprint(), keys[0]!["thumbprint"]!.GetValue<string>());
        Assert.Equal(Server.Time.GetUtcNow(), keys[0]!["last_used_at"]!.GetValue<DateTimeOffset>());
        Assert.Null(keys[1]!["last_used_at"]);
        Assert.Equal(Server.Time.GetUtcNow(), keys[0]!["fetched_at"]!.GetValue<DateTimeOffset>());
        Assert.Equal(Server.Time.GetUtcNow().AddMinutes(5), keys[0]!["fresh_until"]!.GetValue<DateTimeOffset>());
        Assert.Null(keys[0]!["last_failure"]);

        await host.DisposeAsync();
        Server.Time.Advance(TimeSpan.FromMinutes(6));
        (await UseAsync(client, used)).Succeeded();
        keys = (await AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}/keys")).Succeeded().Json["items"]!.AsArray();
        Assert.Contains("could not be reached", keys[0]!["last_failure"]!.GetValue<string>(), StringComparison.Ordinal);
        Server.Time.Advance(TimeSpan.FromHours(1));
        (await UseAsync(client, used)).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        keys = (await AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}/keys")).Succeeded().Json["items"]!.AsArray();
        Assert.Equal("unavailable", Assert.Single(keys)!["state"]!.GetValue<string>());
    }

    [Fact]
    [Requirement("R7592-2.2-01", "P-AUDIT")]
    public async Task A_change_of_keys_is_recorded_by_thumbprint_and_in_force_at_once()
    {
        var inline = TestKey.Create(kid: "inline");
        var hosted = TestKey.Create(kid: "hosted");
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(hosted).ToJsonString());
        var client = await Server.OnboardAsync(inline);
        var body = Requests.Metadata(inline);
        body["client_id"] = client.ClientId;
        body.Remove("jwks");
        body["jwks_uri"] = host.Url;
        (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, body)).Succeeded();

        (await UseAsync(client, inline)).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await UseAsync(client, hosted)).Succeeded();
        var changes = (await AdminAsync(HttpMethod.Get, $"audit?subject={client.ClientId}")).Json["items"]!.AsArray()
            .Single(record => record!["action"]!.GetValue<string>() == "client.updated")!["changes"]!;
        Assert.Equal(inline.Thumbprint(), changes["keys"]!["before"]!.GetValue<string>());
        Assert.Equal(hosted.Thumbprint(), changes["keys"]!["after"]!.GetValue<string>());
        Assert.Equal(host.Url, changes["jwks_uri"]!["after"]!.GetValue<string>());
    }

    [Fact]
    [Requirement("P-REV")]
    public async Task A_quarantined_key_is_refused_at_once_and_the_other_key_works_on()
    {
        var stolen = TestKey.Create(kid: "stolen");
        var good = TestKey.Create(kid: "good");
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(stolen, good).ToJsonString());
        var client = await OnboardAsync(stolen, host);
        (await UseAsync(client, stolen)).Succeeded();

        var quarantined = (await AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/keys/{stolen.Thumbprint()}/quarantine")).Succeeded();
        Assert.Equal("quarantined", quarantined["state"]);
        Assert.Equal("stolen", quarantined["kid"]);
        (await UseAsync(client, stolen)).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await UseAsync(client, good)).Succeeded();

        // Under another kid it is the same key.
        host.Document = TestKey.Jwks(stolen.As(kid: "renamed"), good).ToJsonString();
        (await UseAsync(client, stolen.As(kid: "renamed"))).Refused(HttpStatusCode.Unauthorized, "invalid_client");

        Assert.Equal("active", (await AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/keys/{stolen.Thumbprint()}/release")).Succeeded()["state"]);
        (await UseAsync(client, stolen.As(kid: "renamed"))).Succeeded();
        var audit = (await AdminAsync(HttpMethod.Get, $"audit?subject={client.ClientId}")).Json["items"]!.AsArray().Select(record => record!["action"]!.GetValue<string>());
        Assert.Contains("client.key_quarantined", audit);
        Assert.Contains("client.key_released", audit);
    }

    [Fact]
    [Requirement("P-REV")]
    public async Task A_quarantine_ends_the_tokens_for_apis_that_the_client_has_unless_it_is_told_not_to()
    {
        var stolen = TestKey.Create(kid: "stolen");
        var good = TestKey.Create(kid: "good");
        var client = await Server.OnboardAsync(stolen, m => m["jwks"] = TestKey.Jwks(stolen, good));
        var token = (await UseAsync(client, stolen)).Succeeded()["access_token"];
        var path = $"clients/{client.ClientId}/keys/{stolen.Thumbprint()}";

        (await AdminAsync(HttpMethod.Post, $"{path}/quarantine?end_tokens=perhaps")).Refused(HttpStatusCode.BadRequest, "invalid_request", "end_tokens");
        (await AdminAsync(HttpMethod.Post, $"{path}/quarantine?end_tokens=false")).Succeeded();
        Assert.True(await Server.IsActiveAsync(token));

        (await AdminAsync(HttpMethod.Post, $"{path}/release")).Succeeded();
        (await AdminAsync(HttpMethod.Post, $"{path}/quarantine")).Succeeded();
        Assert.False(await Server.IsActiveAsync(token));
        Assert.True(await Server.IsActiveAsync((await UseAsync(client, good)).Succeeded()["access_token"]));
        // Its right to manage itself is no token for an API.
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded();
    }

    [Fact]
    [Requirement("P-REV")]
    public async Task A_quarantined_key_of_an_onboarding_client_ends_its_initial_access_tokens()
    {
        var token = await Server.InitialAccessTokenAsync("fleet");
        var admin = await Server.AdminTokenAsync();
        (await Server.AdminAsync(HttpMethod.Post, $"clients/fleet/keys/{Server.OnboardingKey.Thumbprint()}/quarantine", admin)).Succeeded();
        (await Server.RegisterAsync(token, Requests.Metadata(TestKey.Create()))).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.AdminAsync(HttpMethod.Post, $"clients/fleet/keys/{Server.OnboardingKey.Thumbprint()}/release", admin)).Succeeded();
        await Server.InitialAccessTokenAsync();
    }

    [Theory]
    [InlineData("short")]
    [InlineData("!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")]
    public async Task Rejects_what_is_no_thumbprint(string thumbprint) =>
        (await AdminAsync(HttpMethod.Post, $"clients/{DcrServer.OnboardingClient}/keys/{thumbprint}/quarantine")).Refused(HttpStatusCode.BadRequest, "invalid_request", "thumbprint");

    [Fact]
    public async Task Knows_no_keys_of_a_client_that_does_not_exist()
    {
        (await AdminAsync(HttpMethod.Get, "clients/nobody/keys")).Refused(HttpStatusCode.NotFound, "not_found");
        (await AdminAsync(HttpMethod.Post, $"clients/nobody/keys/{Server.AdminKey.Thumbprint()}/quarantine")).Refused(HttpStatusCode.NotFound, "not_found");
    }

    [Fact]
    public async Task Slow_hosts_do_not_hold_up_other_clients()
    {
        await using var slow = await JwksHost.StartAsync(TestKey.Jwks(TestKey.Create()).ToJsonString(), hosts: 50);
        var slowClients = await Task.WhenAll(Enumerable.Range(1, 50).Select(i => OnboardAsync(TestKey.Create(), slow.Url.Replace("127.0.0.1", $"127.0.0.{i}", StringComparison.Ordinal))));
        var healthy = await Server.OnboardAsync();
        async Task<List<double>> MeasureAsync()
        {
            var times = new List<double>();
            for (var i = 0; i < 200; i++)
            {
                var assertion = Server.Assertion(healthy.Key, healthy.ClientId).Sign();
                var clock = System.Diagnostics.Stopwatch.StartNew();
                (await Server.PostTokenAsync(assertion)).Succeeded();
                times.Add(clock.Elapsed.TotalMilliseconds);
            }
            times.Sort();
            return times;
        }
        await MeasureAsync();
        // The machine has hiccups of its own: of three tries, one without will do.
        var tries = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            slow.Delay = TimeSpan.Zero;
            var before = (await MeasureAsync())[197];
            slow.Delay = TimeSpan.FromSeconds(10);
            Server.Time.Advance(TimeSpan.FromMinutes(6));
            var waiting = slowClients.Select(client => UseAsync(client, client.Key)).ToList();
            var during = (await MeasureAsync())[197];
            await Task.WhenAll(waiting);
            if (during < (2 * before) + 1)
            {
                return;
            }
            tries.Add($"p99 {before:0.00} ms alone, {during:0.00} ms beside slow hosts");
        }
        Assert.Fail(string.Join("; ", tries));
    }

    private Task<OnboardedClient> OnboardAsync(TestKey key, string url) => Server.OnboardAsync(key, m =>
    {
        m.Remove("jwks");
        m["jwks_uri"] = url;
    });
}

public sealed class ClientKeyTestsOnSqlite(SqliteServer server) : ClientKeyTests(server), IClassFixture<SqliteServer>;

public sealed class ClientKeyTestsOnMongoDb(MongoDbServer server) : ClientKeyTests(server), IClassFixture<MongoDbServer>;
