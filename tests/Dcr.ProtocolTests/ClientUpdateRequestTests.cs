using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Client update requests: RFC 7592 section 2.2.</summary>
public abstract class ClientUpdateRequestTests(DcrServer server) : ServerTests(server)
{
    /// <summary>A valid update: what was registered, as RFC 7592 section 2.2 wants it sent.</summary>
    private static JsonObject Valid(OnboardedClient client)
    {
        var body = Requests.Metadata(client.Key);
        body["client_id"] = client.ClientId;
        return body;
    }

    private Task<Answer> PutAsync(OnboardedClient client, JsonObject body, string? token = null, string? ifMatch = null) =>
        Server.SendAsync(HttpMethod.Put, client.Path, token ?? client.RegistrationAccessToken, body, ifMatch);

    [Fact]
    [Requirement("R7592-2.2-01", "R7592-3-01", "R7592-2.2-05")]
    public async Task Replaces_the_whole_record()
    {
        var client = await Server.OnboardAsync(change: m => m["contacts"] = new JsonArray("ops@app.example"));
        var body = Valid(client);
        body.Remove("scope");
        body["client_uri"] = "https://app.example/";

        var answer = (await PutAsync(client, body)).Succeeded();

        Assert.Null(answer.Json["contacts"]);
        Assert.Equal("read", answer["scope"]);
        Assert.Equal("https://app.example/", answer["client_uri"]);
        Assert.Equal("\"2\"", answer.Response.Headers.ETag!.Tag);
        Assert.Equal(client.ClientId, answer["client_id"]);
        Assert.Equal(client.Information["client_id_issued_at"]!.GetValue<long>(), answer.Json["client_id_issued_at"]!.GetValue<long>());
        var read = (await Server.GetAsync(client.Path, answer["registration_access_token"])).Succeeded();
        Assert.True(JsonNode.DeepEquals(answer.Json, read.Json));
    }

    [Fact]
    [Requirement("R7592-2.2-01")]
    public async Task Exchanges_the_keys_at_once()
    {
        var client = await Server.OnboardAsync();
        var next = TestKey.Create(kid: "key-2");
        var body = Valid(client);
        body["jwks"] = TestKey.Jwks(next);
        (await PutAsync(client, body)).Succeeded();
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await Server.PostTokenAsync(Server.Assertion(next, client.ClientId).Sign())).Succeeded();
    }

    [Fact]
    [Requirement("R7592-2.1-02", "P-ROTATE")]
    public async Task Rotates_the_token_and_drops_the_old_one_when_the_new_one_is_used()
    {
        var client = await Server.OnboardAsync();
        var updated = (await PutAsync(client, Valid(client))).Succeeded();
        var next = updated["registration_access_token"];
        Assert.NotEqual(client.RegistrationAccessToken, next);
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded();
        (await Server.GetAsync(client.Path, next)).Succeeded();
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }

    [Fact]
    [Requirement("R7592-2.1-02", "P-ROTATE")]
    public async Task A_lost_answer_strands_nobody()
    {
        var client = await Server.OnboardAsync();
        (await PutAsync(client, Valid(client))).Succeeded();
        Server.Time.Advance(TimeSpan.FromMinutes(59));
        var again = (await PutAsync(client, Valid(client))).Succeeded();
        (await Server.GetAsync(client.Path, again["registration_access_token"])).Succeeded();
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }

    [Fact]
    [Requirement("R7592-2.1-02", "P-ROTATE")]
    public async Task The_old_token_ends_after_an_hour()
    {
        var client = await Server.OnboardAsync();
        var updated = (await PutAsync(client, Valid(client))).Succeeded();
        Server.Time.Advance(TimeSpan.FromMinutes(61));
        (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.GetAsync(client.Path, updated["registration_access_token"])).Succeeded();
    }

    [Theory]
    [Requirement("R7592-2.2-03", "R7592-2.2-04")]
    [InlineData("registration_access_token", "\"x\"")]
    [InlineData("registration_client_uri", "\"https://x.example\"")]
    [InlineData("client_secret_expires_at", "0")]
    [InlineData("client_id_issued_at", "1700000000")]
    [InlineData("client_secret", "\"chosen\"")]
    public async Task Rejects_members_that_must_not_be_sent(string member, string json)
    {
        var client = await Server.OnboardAsync();
        var body = Valid(client);
        body[member] = JsonNode.Parse(json);
        (await PutAsync(client, body)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", member);
    }

    [Fact]
    [Requirement("R7592-2.2-02")]
    public async Task Rejects_a_missing_or_another_client_id()
    {
        var client = await Server.OnboardAsync();
        var other = await Server.OnboardAsync();
        var body = Valid(client);
        body.Remove("client_id");
        (await PutAsync(client, body)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "client_id");
        body["client_id"] = other.ClientId;
        (await PutAsync(client, body)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "client_id");
        body["client_id"] = 5;
        (await PutAsync(client, body)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "client_id");
    }

    [Fact]
    [Requirement("R7592-2.2-05", "R7592-2.2-06", "P-SCOPE")]
    public async Task Passes_the_same_rules_as_a_registration_and_changes_nothing_when_refused()
    {
        var client = await Server.OnboardAsync();
        var admin = Valid(client);
        admin["scope"] = "read dcr.admin";
        (await PutAsync(client, admin)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "scope");
        var method = Valid(client);
        method.Remove("token_endpoint_auth_method");
        (await PutAsync(client, method)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "token_endpoint_auth_method");
        var keys = Valid(client);
        keys["jwks"] = new JsonObject { ["keys"] = new JsonArray(client.Key.PrivateJwk()) };
        (await PutAsync(client, keys)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks");
        var redirect = Valid(client);
        redirect["redirect_uris"] = new JsonArray("http://app.example/cb");
        (await PutAsync(client, redirect)).Refused(HttpStatusCode.BadRequest, "invalid_redirect_uri");

        var read = (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded();
        Assert.True(JsonNode.DeepEquals(client.Information, read.Json));
        Assert.Equal("\"1\"", read.Response.Headers.ETag!.Tag);
    }

    [Fact]
    [Requirement("R7592-2.2-06", "P-ETAG")]
    public async Task Honours_If_Match()
    {
        var client = await Server.OnboardAsync();
        (await PutAsync(client, Valid(client), ifMatch: "\"7\"")).Refused(HttpStatusCode.PreconditionFailed, "precondition_failed");
        (await PutAsync(client, Valid(client), ifMatch: "W/\"1\"")).Refused(HttpStatusCode.PreconditionFailed, "precondition_failed");
        var updated = (await PutAsync(client, Valid(client), ifMatch: "\"3\", \"1\"")).Succeeded();
        (await PutAsync(client, Valid(client), updated["registration_access_token"], "\"1\"")).Refused(HttpStatusCode.PreconditionFailed, "precondition_failed");
        (await PutAsync(client, Valid(client), updated["registration_access_token"], "*")).Succeeded();
    }

    [Fact]
    [Requirement("R7592-2.1-02")]
    public async Task Lets_one_of_many_parallel_updates_of_one_version_win()
    {
        var client = await Server.OnboardAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => PutAsync(client, Valid(client), ifMatch: "\"1\"")));
        var winner = Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers.Except([winner]), answer => Assert.True(answer.Status is HttpStatusCode.Conflict or HttpStatusCode.PreconditionFailed, answer.Text));
        (await Server.GetAsync(client.Path, winner["registration_access_token"])).Succeeded();
    }

    [Fact]
    [Requirement("R7592-2.2-07", "R7592-2-05")]
    public async Task Cannot_re_enable_a_client_that_an_administrator_disabled()
    {
        var client = await Server.OnboardAsync();
        await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend", await Server.AdminTokenAsync());
        (await PutAsync(client, Valid(client))).Refused(HttpStatusCode.Forbidden, "access_denied");
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
    }

    [Fact]
    [Requirement("R7592-2-03")]
    public async Task Rejects_the_token_of_another_client()
    {
        var client = await Server.OnboardAsync();
        var other = await Server.OnboardAsync();
        (await PutAsync(client, Valid(client), other.RegistrationAccessToken)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }
}

public sealed class ClientUpdateRequestTestsOnSqlite(SqliteServer server) : ClientUpdateRequestTests(server), IClassFixture<SqliteServer>;

public sealed class ClientUpdateRequestTestsOnMongoDb(MongoDbServer server) : ClientUpdateRequestTests(server), IClassFixture<MongoDbServer>;
