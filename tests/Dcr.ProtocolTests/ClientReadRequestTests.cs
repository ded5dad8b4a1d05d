using System.Net;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Client read requests: RFC 7592 section 2.1, and who may manage a client at all (section 2).</summary>
public abstract class ClientReadRequestTests(DcrServer server) : ServerTests(server)
{
    [Fact]
    [Requirement("R7592-2.1-01", "R7592-3-01", "R7592-2-01", "R7592-5-01")]
    public async Task Shows_the_client_as_registered()
    {
        var client = await Server.OnboardAsync();
        var answer = (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded();
        Assert.True(answer.Response.Headers.CacheControl!.NoStore);
        Assert.Equal("\"1\"", answer.Response.Headers.ETag!.Tag);
        Assert.True(System.Text.Json.Nodes.JsonNode.DeepEquals(client.Information, answer.Json));
    }

    [Fact]
    [Requirement("R7592-2.1-02", "R7592-5-01")]
    public async Task Never_rotates_the_token_and_never_lets_it_expire()
    {
        var client = await Server.OnboardAsync();
        Server.Time.Advance(TimeSpan.FromDays(400));
        for (var i = 0; i < 3; i++)
        {
            var answer = (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded();
            Assert.Equal(client.RegistrationAccessToken, answer["registration_access_token"]);
        }
    }

    [Fact]
    [Requirement("R7592-2-03", "R8725-3.12-01", "R7592-5-01")]
    public async Task Rejects_every_other_token()
    {
        var client = await Server.OnboardAsync();
        var other = await Server.OnboardAsync();
        foreach (var token in new[]
        {
            other.RegistrationAccessToken,
            await Server.InitialAccessTokenAsync(),
            await Server.AdminTokenAsync(),
            await Server.AccessTokenAsync(client.Key, client.ClientId),
            "x",
        })
        {
            (await Server.GetAsync(client.Path, token)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        }
        (await Server.GetAsync(client.Path)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }

    [Fact]
    [Requirement("R7592-2-03")]
    public async Task A_registration_access_token_works_nowhere_else()
    {
        var client = await Server.OnboardAsync();
        (await Server.AdminAsync(HttpMethod.Get, "clients", client.RegistrationAccessToken)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.RegisterAsync(client.RegistrationAccessToken, Requests.Metadata(client.Key))).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }

    [Theory]
    [Requirement("R7592-2-04", "R8725-3.10-01")]
    [InlineData("ffffffffffffffffffffffffffffffff")]
    [InlineData("%7B%22%24where%22%3A%221%22%7D")]
    [InlineData("'%20OR%201=1%20--")]
    [InlineData("admin")]
    [InlineData(DcrServer.OnboardingClient)]
    public async Task Answers_the_same_for_a_client_that_does_not_exist(string clientId)
    {
        var client = await Server.OnboardAsync();
        var wrongToken = await Server.GetAsync(client.Path, "wrong-token");
        var unknown = (await Server.GetAsync(Server.Path($"/oauth/register/{clientId}"), "wrong-token")).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        Assert.Equal(wrongToken.Text, unknown.Text);
    }

    [Fact]
    [Requirement("R7592-2-05", "R7592-2.2-07")]
    public async Task Refuses_a_suspended_client_and_lets_it_back_when_it_is_resumed()
    {
        var client = await Server.OnboardAsync();
        var admin = await Server.AdminTokenAsync();
        await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend", admin);
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Refused(HttpStatusCode.Forbidden, "access_denied");
        await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/resume", admin);
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded();
        await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/revoke", admin);
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }
}

public sealed class ClientReadRequestTestsOnSqlite(SqliteServer server) : ClientReadRequestTests(server), IClassFixture<SqliteServer>;

public sealed class ClientReadRequestTestsOnMongoDb(MongoDbServer server) : ClientReadRequestTests(server), IClassFixture<MongoDbServer>;
