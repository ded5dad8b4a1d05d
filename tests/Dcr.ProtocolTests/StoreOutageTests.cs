using System.Net;
using Dcr.ProtocolTests.Support;
using MongoDB.Driver;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>A store that is away: 503 with Retry-After, nothing half done, and recovery without a restart.</summary>
public sealed class StoreOutageTests
{
    [Fact]
    [Requirement("P-AWAY")]
    public async Task Starts_before_its_database_and_lives_through_an_outage()
    {
        Assert.SkipWhen(MongoDbUnderTest.SkipReason is not null, MongoDbUnderTest.SkipReason ?? "");
        var real = new MongoUrl(await MongoDbUnderTest.ConnectionStringAsync());
        await using var proxy = new CuttableProxy(real.Server.Host, real.Server.Port);
        await using var server = new MongoDbServer { ConnectionString = $"mongodb://127.0.0.1:{proxy.Port}/?directConnection=true" };

        proxy.Cut();
        await server.InitializeAsync();
        Assert.Equal(HttpStatusCode.OK, (await server.GetAsync("/health/live")).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.GetAsync("/health/ready")).Status);
        AssertAway(await server.PostTokenAsync(server.Assertion(server.OnboardingKey, DcrServer.OnboardingClient).Sign(), "dcr"));

        proxy.Join();
        await UntilReadyAsync(server);
        var client = await server.OnboardAsync();
        var assertion = server.Assertion(client.Key, client.ClientId).Sign();

        proxy.Cut();
        AssertAway(await server.PostTokenAsync(assertion));
        AssertAway(await server.GetAsync(client.Path, client.RegistrationAccessToken));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await server.GetAsync("/health/ready")).Status);
        (await server.GetAsync("/.well-known/oauth-authorization-server")).Succeeded();

        proxy.Join();
        await UntilReadyAsync(server);
        (await server.PostTokenAsync(assertion)).Succeeded();
        (await server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded();
    }

    private static void AssertAway(Answer answer)
    {
        answer.Refused(HttpStatusCode.ServiceUnavailable, "temporarily_unavailable");
        Assert.NotNull(answer.Response.Headers.RetryAfter);
    }

    private static async Task UntilReadyAsync(DcrServer server)
    {
        for (var i = 0; i < 100; i++)
        {
            if ((await server.GetAsync("/health/ready")).Status == HttpStatusCode.OK)
            {
                return;
            }
            server.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(100, TestContext.Current.CancellationToken);
        }
        Assert.Fail("the server did not recover");
    }
}
