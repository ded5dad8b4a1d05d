using System.Net;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Revocation requests: RFC 7009.</summary>
public abstract class RevocationRequestTests(DcrServer server) : ServerTests(server)
{
    [Fact]
    [Requirement("R7009-2.1-01", "R7009-2.1-03")]
    public async Task Ends_one_token_of_the_client_at_once_on_every_node()
    {
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        var other = await Server.AccessTokenAsync(client.Key, client.ClientId);

        Assert.Equal(HttpStatusCode.OK, (await Server.RevokeAsync(token, client.Key, client.ClientId)).Status);

        Assert.False(await Server.IsActiveAsync(token));
        Assert.True(await Server.IsActiveAsync(other));
        Assert.Equal(HttpStatusCode.OK, (await Server.RevokeAsync(token, client.Key, client.ClientId)).Status);
    }

    [Fact]
    [Requirement("R7009-2.1-03")]
    public async Task A_revoked_token_is_refused_by_this_server_itself()
    {
        var token = await Server.AdminTokenAsync();
        Assert.Equal(HttpStatusCode.OK, (await Server.RevokeAsync(token, Server.AdminKey, DcrServer.Admin)).Status);
        (await Server.AdminAsync(HttpMethod.Get, "clients", token)).Refused(HttpStatusCode.Unauthorized, "invalid_token");

        var initial = await Server.InitialAccessTokenAsync();
        await Server.RevokeAsync(initial, Server.OnboardingKey, DcrServer.OnboardingClient);
        (await Server.RegisterAsync(initial, Requests.Metadata(TestKey.Create()))).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }

    [Fact]
    [Requirement("R7009-2.1-01", "R7009-2.2-01")]
    public async Task Leaves_the_token_of_another_client_alone_and_does_not_tell()
    {
        var client = await Server.OnboardAsync();
        var other = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        var answer = await Server.RevokeAsync(token, other.Key, other.ClientId);
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Empty(answer.Text);
        Assert.True(await Server.IsActiveAsync(token));
    }

    [Theory]
    [Requirement("R7009-2.1-02", "R7009-2.2-01", "R7009-2.2.1-01")]
    [InlineData("garbage", "access_token")]
    [InlineData("a.b.c", "refresh_token")]
    [InlineData("x", "made_up")]
    public async Task Takes_what_is_unknown_as_revoked_whatever_the_hint(string token, string hint)
    {
        var client = await Server.OnboardAsync();
        var form = Server.TokenQuery(token, client.Key, client.ClientId);
        form["token_type_hint"] = hint;
        Assert.Equal(HttpStatusCode.OK, (await Server.PostFormAsync("/oauth/revoke", form)).Status);
    }

    [Fact]
    [Requirement("R7009-2.1-02")]
    public async Task A_wrong_hint_does_not_save_a_token()
    {
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        var form = Server.TokenQuery(token, client.Key, client.ClientId);
        form["token_type_hint"] = "refresh_token";
        Assert.Equal(HttpStatusCode.OK, (await Server.PostFormAsync("/oauth/revoke", form)).Status);
        Assert.False(await Server.IsActiveAsync(token));
    }

    [Fact]
    [Requirement("R7009-2.1-01")]
    public async Task Rejects_a_caller_that_is_nobody_and_a_request_without_a_token()
    {
        var client = await Server.OnboardAsync();
        (await Server.PostFormAsync("/oauth/revoke", new Dictionary<string, string> { ["token"] = "x" })).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await Server.PostFormAsync("/oauth/revoke", Server.TokenQuery(null, client.Key, client.ClientId))).Refused(HttpStatusCode.BadRequest, "invalid_request", "token");
    }
}

public sealed class RevocationRequestTestsOnSqlite(SqliteServer server) : RevocationRequestTests(server), IClassFixture<SqliteServer>;

public sealed class RevocationRequestTestsOnMongoDb(MongoDbServer server) : RevocationRequestTests(server), IClassFixture<MongoDbServer>;
