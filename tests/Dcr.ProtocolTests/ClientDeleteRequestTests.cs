using System.Net;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Client delete requests: RFC 7592 section 2.3.</summary>
public abstract class ClientDeleteRequestTests(DcrServer server) : ServerTests(server)
{
    private Task<Answer> DeleteAsync(OnboardedClient client, string? ifMatch = null) =>
        Server.SendAsync(HttpMethod.Delete, client.Path, client.RegistrationAccessToken, (HttpContent?)null, ifMatch);

    [Fact]
    [Requirement("R7592-2.3-01", "R7592-2-04", "R7592-2.3-03", "R7592-2-06")]
    public async Task Ends_the_client_everywhere_at_once()
    {
        var client = await Server.OnboardAsync();
        var other = await Server.OnboardAsync();
        var answer = await DeleteAsync(client);
        Assert.Equal(HttpStatusCode.NoContent, answer.Status);
        Assert.Empty(answer.Text);

        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await DeleteAsync(client)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await Server.AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}", await Server.AdminTokenAsync())).Refused(HttpStatusCode.NotFound, "not_found");
        await Server.AccessTokenAsync(other.Key, other.ClientId);
    }

    [Fact]
    [Requirement("R7592-2.3-01")]
    public async Task Leaves_an_audit_record_of_what_was_there()
    {
        var client = await Server.OnboardAsync();
        await DeleteAsync(client);
        var audit = await Server.AdminAsync(HttpMethod.Get, $"audit?subject={client.ClientId}", await Server.AdminTokenAsync());
        var record = audit.Json["items"]![0]!;
        Assert.Equal("client.deleted", record["action"]!.GetValue<string>());
        Assert.Equal(client.ClientId, record["actor"]!.GetValue<string>());
        Assert.Equal("Test client", record["changes"]!["client_name"]!["before"]!.GetValue<string>());
        Assert.Equal(client.Key.Thumbprint(), record["changes"]!["jwks"]!["before"]!.GetValue<string>());
    }

    [Fact]
    [Requirement("R7592-2.3-01", "P-ETAG")]
    public async Task Honours_If_Match()
    {
        var client = await Server.OnboardAsync();
        (await DeleteAsync(client, "\"2\"")).Refused(HttpStatusCode.PreconditionFailed, "precondition_failed");
        Assert.Equal(HttpStatusCode.NoContent, (await DeleteAsync(client, "\"1\"")).Status);
    }

    [Fact]
    [Requirement("R7592-2-03")]
    public async Task Rejects_the_token_of_another_client()
    {
        var client = await Server.OnboardAsync();
        var other = await Server.OnboardAsync();
        (await Server.SendAsync(HttpMethod.Delete, client.Path, other.RegistrationAccessToken, (HttpContent?)null)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded();
    }
}

public sealed class ClientDeleteRequestTestsOnSqlite(SqliteServer server) : ClientDeleteRequestTests(server), IClassFixture<SqliteServer>;

public sealed class ClientDeleteRequestTestsOnMongoDb(MongoDbServer server) : ClientDeleteRequestTests(server), IClassFixture<MongoDbServer>;
