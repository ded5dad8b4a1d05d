using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>A key that is refused on the whole server: the thief of one client's key gets nothing by registering it again.</summary>
public abstract class QuarantinedKeyTests(DcrServer server) : ServerTests(server)
{
    private readonly TestKey _stolen = TestKey.Create(kid: "stolen");

    private Task<Answer> PutAsync(string thumbprint, string reason = "found in a repository") =>
        Server.AdminAsync(HttpMethod.Put, $"quarantined-keys/{thumbprint}", new JsonObject { ["reason"] = reason });

    private async Task QuarantineAsync(TestKey key) => (await PutAsync(key.Thumbprint())).Succeeded();

    private async Task ReleaseAsync(TestKey key) => (await Server.AdminAsync(HttpMethod.Delete, $"quarantined-keys/{key.Thumbprint()}")).Succeeded(HttpStatusCode.NoContent);

    private async Task<Answer> RegisterAsync(JsonObject metadata) => await Server.RegisterAsync(await Server.InitialAccessTokenAsync(), metadata);

    [Fact]
    [Requirement("P-REV")]
    public async Task Is_refused_at_registration_inline_and_by_url_under_any_kid()
    {
        await QuarantineAsync(_stolen);
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(TestKey.Create(kid: "other"), _stolen.As(kid: "renamed")).ToJsonString());
        var byUrl = Requests.Metadata(_stolen);
        byUrl.Remove("jwks");
        byUrl["jwks_uri"] = host.Url;

        (await RegisterAsync(Requests.Metadata(_stolen))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "quarantine");
        (await RegisterAsync(byUrl)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "quarantine");
        await ReleaseAsync(_stolen);
        (await RegisterAsync(Requests.Metadata(_stolen))).Succeeded(HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-REV")]
    public async Task Is_refused_in_an_update_and_on_its_next_use_by_any_client()
    {
        var client = await Server.OnboardAsync(_stolen);
        var other = await Server.OnboardAsync(change: m => m["jwks"] = TestKey.Jwks(_stolen));
        (await Server.PostTokenAsync(Server.Assertion(_stolen, client.ClientId).Sign())).Succeeded();
        await QuarantineAsync(_stolen);

        foreach (var clientId in new[] { client.ClientId, other.ClientId })
        {
            (await Server.PostTokenAsync(Server.Assertion(_stolen, clientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
            Assert.Equal("quarantined", (await Server.AdminAsync(HttpMethod.Get, $"clients/{clientId}/keys")).Succeeded().Json["items"]![0]!["state"]!.GetValue<string>());
        }
        var third = await Server.OnboardAsync();
        var update = Requests.Metadata(_stolen);
        update["client_id"] = third.ClientId;
        (await Server.SendAsync(HttpMethod.Put, third.Path, third.RegistrationAccessToken, update)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "quarantine");

        var diagnosis = (await Server.AdminAsync(HttpMethod.Post, "diagnose", new JsonObject { ["client_assertion"] = Server.Assertion(_stolen, client.ClientId).Sign() })).Succeeded();
        Assert.Equal("key", diagnosis["rule_name"]);
        Assert.Contains("whole server", diagnosis["detail"], StringComparison.Ordinal);
        await ReleaseAsync(_stolen);
        (await Server.PostTokenAsync(Server.Assertion(_stolen, client.ClientId).Sign())).Succeeded();
    }

    [Fact]
    [Requirement("P-REV")]
    public async Task Is_refused_in_a_hosted_key_set()
    {
        var set = (await Server.AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created);
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys", _stolen.PublicJwk())).Succeeded(HttpStatusCode.Created);
        await QuarantineAsync(_stolen);
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys/stolen/activate")).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "quarantine");
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys/stolen/withdraw")).Succeeded();
        (await Server.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys", _stolen.As(kid: "again").PublicJwk())).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "quarantine");
    }

    [Fact]
    [Requirement("P-REV")]
    public async Task Ends_the_initial_access_tokens_that_were_asked_for_with_it()
    {
        var party = await Server.OnboardingClientAsync();
        var token = await Server.InitialAccessTokenAsync(party);
        await QuarantineAsync(party.Key);
        (await Server.RegisterAsync(token, Requests.Metadata(TestKey.Create()))).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.PostTokenAsync(Server.Assertion(party.Key, party.ClientId).Sign(), "dcr")).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }

    [Fact]
    [Requirement("P-REV", "P-AUDIT")]
    public async Task Is_listed_and_audited_with_its_reason()
    {
        var thumbprint = _stolen.Thumbprint();
        (await Server.AdminAsync(HttpMethod.Get, $"quarantined-keys/{thumbprint}")).Refused(HttpStatusCode.NotFound, "not_found");
        (await PutAsync(thumbprint, "")).Refused(HttpStatusCode.BadRequest, "invalid_request", "reason");
        (await PutAsync("short")).Refused(HttpStatusCode.BadRequest, "invalid_request", "thumbprint");
        (await PutAsync(thumbprint, "first")).Succeeded();
        Assert.Equal("first", (await PutAsync(thumbprint, "second")).Succeeded()["reason"]);

        var shown = (await Server.AdminAsync(HttpMethod.Get, $"quarantined-keys/{thumbprint}")).Succeeded();
        Assert.Equal(DcrServer.Admin, shown["quarantined_by"]);
        var listed = (await Server.AdminAsync(HttpMethod.Get, "quarantined-keys?limit=200")).Succeeded().Json["items"]!.AsArray();
        Assert.Single(listed, key => key!["thumbprint"]!.GetValue<string>() == thumbprint);

        await ReleaseAsync(_stolen);
        (await Server.AdminAsync(HttpMethod.Delete, $"quarantined-keys/{thumbprint}")).Refused(HttpStatusCode.NotFound, "not_found");
        var audit = (await Server.AdminAsync(HttpMethod.Get, $"audit?subject={thumbprint}")).Succeeded().Json["items"]!.AsArray();
        Assert.Equal(["quarantined_key.removed", "quarantined_key.added"], audit.Select(record => record!["action"]!.GetValue<string>()));
        Assert.Equal("first", audit[1]!["changes"]!["reason"]!["after"]!.GetValue<string>());
    }
}

public sealed class QuarantinedKeyTestsOnSqlite(SqliteServer server) : QuarantinedKeyTests(server), IClassFixture<SqliteServer>;

public sealed class QuarantinedKeyTestsOnMongoDb(MongoDbServer server) : QuarantinedKeyTests(server), IClassFixture<MongoDbServer>;
