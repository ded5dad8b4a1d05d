using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.Options;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>A server whose buckets are small: 20 refused proofs an address, 10 requests a client, one more each second.</summary>
public static class SmallBuckets
{
    public const int OfAddress = 20;
    public const int OfClient = 10;

    public static T With<T>(T server)
        where T : DcrServer
    {
        server.Settings["Dcr:RateLimits:RefusedPerAddressPerSecond"] = "1";
        server.Settings["Dcr:RateLimits:RefusedPerAddressBurst"] = OfAddress.ToString(CultureInfo.InvariantCulture);
        server.Settings["Dcr:RateLimits:PerClientPerSecond"] = "1";
        server.Settings["Dcr:RateLimits:PerClientBurst"] = OfClient.ToString(CultureInfo.InvariantCulture);
        return server;
    }
}

/// <summary>Rate limits: refused proofs by address, proved requests by client. Each test has a server of its own, since all come from one address.</summary>
public abstract class RateLimitTests : IAsyncLifetime
{
    private readonly DcrServer _server;

    protected RateLimitTests(DcrServer server)
    {
        Assert.SkipWhen(server.SkipReason is not null, server.SkipReason ?? "");
        _server = SmallBuckets.With(server);
        _server.Settings["Dcr:RateLimits:TrustedProxies"] = "127.0.0.1, 10.0.0.0/8";
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _server.InitializeAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _server.DisposeAsync();
    }

    private string ForgedAssertion(string clientId = DcrServer.Api) => _server.Assertion(TestKey.Create(kid: "forged"), clientId).Sign();

    private static void AssertTooMany(Answer answer)
    {
        answer.Refused(HttpStatusCode.TooManyRequests, "temporarily_unavailable");
        Assert.InRange(answer.Response.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        Assert.Empty(answer.Response.Headers.WwwAuthenticate);
    }

    private async Task<Answer> SendFromAsync(string address, string path, Dictionary<string, string> form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Add("X-Forwarded-For", address);
        return await Answer.ReadAsync(await _server.Http.SendAsync(request, Cancellation), _server.Log);
    }

    [Fact]
    [Requirement("P-RATE", "R6585-4-01")]
    public async Task A_flood_of_forged_assertions_is_told_to_wait_and_never_stops_the_client_it_names()
    {
        var before = _server.Log.Lines.Count(IsRefusal);
        var answers = await Task.WhenAll(Enumerable.Range(0, 5 * SmallBuckets.OfAddress).Select(_ => _server.PostTokenAsync(ForgedAssertion())));
        var tooMany = answers.Where(answer => answer.Status == HttpStatusCode.TooManyRequests).ToList();
        Assert.NotEmpty(tooMany);
        Assert.All(tooMany, AssertTooMany);
        var refused = answers.Except(tooMany).ToList();
        Assert.True(refused.Count >= SmallBuckets.OfAddress, $"only {refused.Count} were judged");
        Assert.All(refused, answer => answer.Refused(HttpStatusCode.Unauthorized, "invalid_client"));
        // One line for each that was judged, none for those that were told to wait.
        Assert.Equal(refused.Count, _server.Log.Lines.Count(IsRefusal) - before);

        // From the very same address, whose bucket is empty.
        (await _server.IntrospectAsync("x")).Succeeded();
        Assert.Equal(HttpStatusCode.OK, (await _server.GetAsync("/health/ready")).Status);
        (await _server.GetAsync("/oauth/jwks")).Succeeded();
    }

    [Fact]
    [Requirement("P-RATE")]
    public async Task An_address_behind_a_trusted_proxy_has_its_own_bucket_and_a_stranger_cannot_choose_one()
    {
        // What the stranger wrote himself stands before what the proxy added.
        var mine = 0;
        await UntilTooManyAsync(() =>
            SendFromAsync($"198.51.100.{Interlocked.Increment(ref mine) % 250}, 203.0.113.7", "oauth/token", Requests.TokenForm(ForgedAssertion())));
        (await SendFromAsync("203.0.113.8", "oauth/token", Requests.TokenForm(ForgedAssertion()))).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }

    [Fact]
    [Requirement("P-RATE")]
    public async Task Every_endpoint_that_wants_a_proof_is_limited()
    {
        var client = $"/oauth/register/{new string('0', 32)}";
        await UntilTooManyAsync(() => _server.PostTokenAsync(ForgedAssertion()));
        await UntilTooManyAsync(() => _server.RegisterAsync("forged", Requests.Metadata(TestKey.Create())));
        await UntilTooManyAsync(() => _server.GetAsync(client, "forged"));
        await UntilTooManyAsync(() => _server.SendAsync(HttpMethod.Put, client, "forged", Requests.Metadata(TestKey.Create())));
        await UntilTooManyAsync(() => _server.SendAsync(HttpMethod.Delete, client, "forged", (JsonObject?)null));
        await UntilTooManyAsync(() => _server.GetAsync(client + "/keys", "forged"));
        await UntilTooManyAsync(() => _server.PostFormAsync("/oauth/introspect", Requests.TokenForm(ForgedAssertion())));
        await UntilTooManyAsync(() => _server.PostFormAsync("/oauth/revoke", Requests.TokenForm(ForgedAssertion())));
        await UntilTooManyAsync(() => _server.AdminAsync(HttpMethod.Get, "clients", "forged"));
        await UntilTooManyAsync(() => _server.AdminAsync(HttpMethod.Post, "clients:revoke", "forged", new JsonObject()));
    }

    [Fact]
    [Requirement("P-RATE")]
    public async Task A_client_that_asks_too_often_waits_without_losing_its_assertion_and_no_other_waits()
    {
        var (first, second) = (await _server.OnboardAsync(), await _server.OnboardAsync());
        var assertion = "";
        var answer = await UntilTooManyAsync(
            () => _server.PostTokenAsync(_server.Assertion(first.Key, first.ClientId).Sign()),
            () => _server.PostTokenAsync(assertion = _server.Assertion(first.Key, first.ClientId).Sign()));
        (await _server.PostTokenAsync(_server.Assertion(second.Key, second.ClientId).Sign())).Succeeded();

        for (var i = 0; i < 100 && answer.Status == HttpStatusCode.TooManyRequests; i++)
        {
            await Task.Delay(100, Cancellation);
            answer = await _server.PostTokenAsync(assertion);
        }
        answer.Succeeded();
    }

    [Fact]
    [Requirement("P-RATE")]
    public async Task Who_sends_a_clients_used_assertion_again_takes_nothing_from_it()
    {
        var client = await _server.OnboardAsync();
        var used = _server.Assertion(client.Key, client.ClientId).Sign();
        (await _server.PostTokenAsync(used)).Succeeded();
        for (var i = 0; i < 3 * SmallBuckets.OfClient; i++)
        {
            Assert.NotEqual(HttpStatusCode.OK, (await _server.PostTokenAsync(used)).Status);
        }
        for (var i = 0; i < SmallBuckets.OfClient - 1; i++)
        {
            (await _server.PostTokenAsync(_server.Assertion(client.Key, client.ClientId).Sign())).Succeeded();
        }
    }

    [Fact]
    [Requirement("P-RATE")]
    public async Task Tokens_are_limited_by_who_holds_them()
    {
        var client = await _server.OnboardAsync();
        var admin = await _server.AdminTokenAsync();
        await UntilTooManyAsync(() => _server.GetAsync(client.Path, client.RegistrationAccessToken));
        await UntilTooManyAsync(() => _server.AdminAsync(HttpMethod.Get, "clients", admin));
        // A client that has the wrong token for the admin API, too.
        var other = await _server.OnboardAsync();
        var token = await _server.AccessTokenAsync(other.Key, other.ClientId);
        await UntilTooManyAsync(() => _server.AdminAsync(HttpMethod.Get, "clients", token));
        // One initial access token in bad hands stops no other registration.
        var leaked = await _server.InitialAccessTokenAsync();
        await UntilTooManyAsync(() => _server.RegisterAsync(leaked, []));
        await _server.OnboardAsync();
    }

    /// <summary>Sends many at once, so that the bucket does not fill as fast on a slow machine, and then one by itself.</summary>
    private static async Task<Answer> UntilTooManyAsync(Func<Task<Answer>> send, Func<Task<Answer>>? last = null)
    {
        for (var i = 0; i < 20; i++)
        {
            var many = await Task.WhenAll(Enumerable.Range(0, 2 * SmallBuckets.OfAddress).Select(_ => send()));
            var answer = last is null ? many.FirstOrDefault(IsTooMany) : await last();
            if (answer is not null && IsTooMany(answer))
            {
                AssertTooMany(answer);
                return answer;
            }
        }
        Assert.Fail("never told to wait");
        throw new InvalidOperationException();
    }

    private static bool IsTooMany(Answer answer) => answer.Status == HttpStatusCode.TooManyRequests;

    [Fact]
    [Requirement("P-LOGLINE")]
    public async Task A_refused_registration_leaves_one_line()
    {
        var token = await _server.InitialAccessTokenAsync();
        var before = _server.Log.Lines.Count(IsRefusal);
        (await _server.RegisterAsync(token, new JsonObject { ["scope"] = "read" })).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata");
        var line = Assert.Single(_server.Log.Lines.Where(IsRefusal).Skip(before));
        Assert.Contains("Refused POST /oauth/register", line, StringComparison.Ordinal);
        Assert.Contains("with 400 invalid_client_metadata: client partner-directory", line, StringComparison.Ordinal);
        (await _server.RegisterAsync("forged", Requests.Metadata(TestKey.Create()))).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        Assert.Equal(before + 2, _server.Log.Lines.Count(IsRefusal));
    }

    private static bool IsRefusal(string line) => line.Contains(" Refused ", StringComparison.Ordinal);
}

public sealed class RateLimitTestsOnSqlite() : RateLimitTests(new SqliteServer());

public sealed class RateLimitTestsOnMongoDb() : RateLimitTests(new MongoDbServer());

public sealed class RateLimitSettingsTests
{
    [Fact]
    [Requirement("P-OPTIONS", "P-RATE")]
    public async Task Refuses_settings_and_names_every_fault()
    {
        await using var server = new SqliteServer();
        server.Settings["Dcr:RateLimits:RefusedPerAddressPerSecond"] = "0";
        server.Settings["Dcr:RateLimits:PerClientBurst"] = "-1";
        server.Settings["Dcr:RateLimits:TrustedProxies:0"] = "10.0.0.1";
        server.Settings["Dcr:RateLimits:TrustedProxies:1"] = "10.0.0.300";
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(async () => await server.InitializeAsync());
        Assert.Contains("RefusedPerAddressPerSecond is 0: it must be from 1 to 1000000", fault.Message, StringComparison.Ordinal);
        Assert.Contains("PerClientBurst is -1", fault.Message, StringComparison.Ordinal);
        Assert.Contains("TrustedProxies has '10.0.0.300'", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("'10.0.0.1'", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-RATE")]
    public async Task Limits_nobody_where_it_is_switched_off()
    {
        await using var server = SmallBuckets.With(new SqliteServer());
        server.Settings["Dcr:RateLimits:Enabled"] = "false";
        await server.InitializeAsync();
        for (var i = 0; i < 2 * SmallBuckets.OfAddress; i++)
        {
            (await server.PostTokenAsync(server.Assertion(TestKey.Create(), DcrServer.Api).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
            (await server.IntrospectAsync("x")).Succeeded();
        }
    }
}
