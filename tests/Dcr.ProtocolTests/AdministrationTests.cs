using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The admin API: finding clients, stopping one without touching another, the audit trail.</summary>
public abstract class AdministrationTests(DcrServer server) : ServerTests(server)
{
    private async Task<Answer> AdminAsync(HttpMethod method, string path) => await Server.AdminAsync(method, path, await Server.AdminTokenAsync());

    [Fact]
    [Requirement("P-REV", "R7592-2.2-07")]
    public async Task Revokes_one_client_and_touches_no_other()
    {
        var partner = await Server.OnboardAsync();
        var other = await Server.OnboardAsync();

        var revoked = (await AdminAsync(HttpMethod.Post, $"clients/{partner.ClientId}/revoke")).Succeeded();

        Assert.Equal("revoked", revoked["status"]);
        Assert.Equal(2, revoked.Json["version"]!.GetValue<int>());
        (await Server.PostTokenAsync(Server.Assertion(partner.Key, partner.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        await Server.AccessTokenAsync(other.Key, other.ClientId);
        (await AdminAsync(HttpMethod.Post, $"clients/{partner.ClientId}/resume")).Refused(HttpStatusCode.Conflict, "conflict");
        (await AdminAsync(HttpMethod.Post, $"clients/{partner.ClientId}/suspend")).Refused(HttpStatusCode.Conflict, "conflict");
        (await AdminAsync(HttpMethod.Post, $"clients/{partner.ClientId}/revoke")).Succeeded();
    }

    [Fact]
    [Requirement("P-REV")]
    public async Task Suspends_and_resumes()
    {
        var client = await Server.OnboardAsync();
        Assert.Equal("suspended", (await AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend")).Succeeded()["status"]);
        (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        Assert.Equal("active", (await AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/resume")).Succeeded()["status"]);
        await Server.AccessTokenAsync(client.Key, client.ClientId);
    }

    [Fact]
    [Requirement("R7591-5-01")]
    public async Task Shows_a_client_with_its_origin_and_no_secret()
    {
        var client = await Server.OnboardAsync();
        var shown = (await AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}")).Succeeded();
        Assert.Equal(client.ClientId, shown["client_id"]);
        Assert.Equal("active", shown["status"]);
        Assert.Equal("read", shown.Json["metadata"]!["scope"]!.GetValue<string>());
        Assert.Equal(1, shown.Json["version"]!.GetValue<int>());
        var origin = shown.Json["origin"]!;
        Assert.Equal(DcrServer.OnboardingClient, origin["onboarding_client"]!.GetValue<string>());
        Assert.Equal(Server.OnboardingKey.Kid, origin["kid"]!.GetValue<string>());
        Assert.Equal(Server.OnboardingKey.Thumbprint(), origin["thumbprint"]!.GetValue<string>());
        Assert.NotEmpty(origin["initial_token_jti"]!.GetValue<string>());
        Assert.DoesNotContain("token_hash", shown.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(client.RegistrationAccessToken, shown.Text, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-ADMIN")]
    public async Task Lists_every_client_once_page_by_page_newest_first()
    {
        var made = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            made.Add((await Server.OnboardAsync()).ClientId);
        }
        var listed = new List<JsonNode>();
        string? cursor = null;
        do
        {
            var page = (await AdminAsync(HttpMethod.Get, $"clients?limit=3{(cursor is null ? "" : $"&cursor={cursor}")}")).Succeeded();
            var items = page.Json["items"]!.AsArray();
            Assert.InRange(items.Count, 1, 3);
            listed.AddRange(items.Select(item => item!));
            cursor = page.Json["next"]?.GetValue<string>();
        }
        while (cursor is not null);

        var ids = listed.Select(item => item["client_id"]!.GetValue<string>()).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Superset(made.ToHashSet(), ids.ToHashSet());
        Assert.Contains(DcrServer.OnboardingClient, ids);
        var times = listed.Select(item => item["created_at"]!.GetValue<DateTimeOffset>()).ToList();
        Assert.Equal(times.OrderDescending(), times);
    }

    [Fact]
    public async Task Lists_by_status()
    {
        var client = await Server.OnboardAsync();
        await AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend");
        var suspended = (await AdminAsync(HttpMethod.Get, "clients?status=suspended&limit=200")).Succeeded();
        Assert.All(suspended.Json["items"]!.AsArray(), item => Assert.Equal("suspended", item!["status"]!.GetValue<string>()));
        Assert.Contains(suspended.Json["items"]!.AsArray(), item => item!["client_id"]!.GetValue<string>() == client.ClientId);
    }

    [Theory]
    [InlineData("clients?limit=0", "limit")]
    [InlineData("clients?limit=201", "limit")]
    [InlineData("clients?limit=many", "limit")]
    [InlineData("clients?cursor=!!!", "cursor")]
    [InlineData("clients?cursor=AAAA", "cursor")]
    [InlineData("clients?status=gone", "status")]
    [InlineData("clients?assertion_exception=x", "assertion_exception")]
    [InlineData("audit?limit=0", "limit")]
    [InlineData("audit?cursor=x", "cursor")]
    public async Task Rejects_a_query_it_does_not_understand(string path, string names) =>
        (await AdminAsync(HttpMethod.Get, path)).Refused(HttpStatusCode.BadRequest, "invalid_request", names);

    [Theory]
    [InlineData("GET", "clients/nobody")]
    [InlineData("POST", "clients/nobody/suspend")]
    [InlineData("POST", "clients/nobody/resume")]
    [InlineData("POST", "clients/nobody/revoke")]
    [InlineData("POST", "clients/%7B%22$where%22:1%7D/revoke")]
    public async Task Answers_404_for_a_client_that_does_not_exist(string method, string path) =>
        (await AdminAsync(new HttpMethod(method), path)).Refused(HttpStatusCode.NotFound, "not_found");

    [Fact]
    [Requirement("P-SCOPE", "R8725-3.12-01", "P-ADMIN")]
    public async Task Rejects_every_token_but_an_administrators()
    {
        var client = await Server.OnboardAsync();
        (await Server.AdminAsync(HttpMethod.Get, "clients", await Server.InitialAccessTokenAsync())).Refused(HttpStatusCode.Forbidden, "insufficient_scope");
        (await Server.AdminAsync(HttpMethod.Get, "clients", await Server.AccessTokenAsync(client.Key, client.ClientId))).Refused(HttpStatusCode.Forbidden, "insufficient_scope");
        (await Server.GetAsync(Server.Path("/admin/v1/clients"))).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/revoke", await Server.AccessTokenAsync(client.Key, client.ClientId))).Refused(HttpStatusCode.Forbidden, "insufficient_scope");
        await Server.AccessTokenAsync(client.Key, client.ClientId);
    }

    [Fact]
    public async Task An_administrator_cannot_stop_itself() =>
        (await AdminAsync(HttpMethod.Post, $"clients/{DcrServer.Admin}/revoke")).Refused(HttpStatusCode.Conflict, "conflict");

    [Fact]
    [Requirement("R7591-5-01", "P-AUDIT")]
    public async Task Records_who_registered_changed_and_stopped_a_client()
    {
        var client = await Server.OnboardAsync();
        var body = Requests.Metadata(client.Key);
        body["client_id"] = client.ClientId;
        body["scope"] = "read write";
        (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, body)).Succeeded();
        await AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend");
        await AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend");

        var audit = (await AdminAsync(HttpMethod.Get, $"audit?subject={client.ClientId}")).Succeeded();
        var records = audit.Json["items"]!.AsArray();

        Assert.Equal(["client.suspended", "client.updated", "client.registered"], records.Select(record => record!["action"]!.GetValue<string>()));
        Assert.Equal([DcrServer.Admin, client.ClientId, DcrServer.OnboardingClient], records.Select(record => record!["actor"]!.GetValue<string>()));
        Assert.Equal(Server.AdminKey.Kid, records[0]!["actor_kid"]!.GetValue<string>());
        Assert.Equal(Server.OnboardingKey.Kid, records[2]!["actor_kid"]!.GetValue<string>());
        Assert.Equal("read", records[1]!["changes"]!["scope"]!["before"]!.GetValue<string>());
        Assert.Equal("read write", records[1]!["changes"]!["scope"]!["after"]!.GetValue<string>());
        Assert.Equal(client.Key.Thumbprint(), records[2]!["changes"]!["jwks"]!["after"]!.GetValue<string>());
        Assert.DoesNotContain(client.RegistrationAccessToken, audit.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_through_the_audit_trail()
    {
        var client = await Server.OnboardAsync();
        for (var i = 0; i < 3; i++)
        {
            await AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/suspend");
            await AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/resume");
        }
        var actions = new List<string>();
        string? cursor = null;
        do
        {
            var page = (await AdminAsync(HttpMethod.Get, $"audit?subject={client.ClientId}&limit=2{(cursor is null ? "" : $"&cursor={cursor}")}")).Succeeded();
            actions.AddRange(page.Json["items"]!.AsArray().Select(item => item!["action"]!.GetValue<string>()));
            cursor = page.Json["next"]?.GetValue<string>();
        }
        while (cursor is not null);
        Assert.Equal(7, actions.Count);
        Assert.Equal("client.registered", actions[^1]);
    }

    [Fact]
    public async Task Records_a_refused_authentication_once_for_a_client_and_rule()
    {
        var client = await Server.OnboardAsync();
        for (var i = 0; i < 5; i++)
        {
            await Server.PostTokenAsync(Server.Assertion(TestKey.Create(), client.ClientId).Sign());
        }
        var audit = (await AdminAsync(HttpMethod.Get, $"audit?subject={client.ClientId}")).Succeeded();
        var refusal = Assert.Single(audit.Json["items"]!.AsArray(), record => record!["action"]!.GetValue<string>() == "client.authentication_refused");
        Assert.NotNull(refusal!["changes"]!["Signature"]);
    }

    [Theory]
    [InlineData("""{}""", "origin")]
    [InlineData("""{"dry_run":true}""", "origin")]
    [InlineData("""{"origin":{}}""", "origin: needs at least one of")]
    [InlineData("""{"origin":{"software_id":"x"},"dry":true}""", "dry: unknown member")]
    [InlineData("""{"origin":{"attester":"x"}}""", "origin.attester: unknown member")]
    public async Task Names_a_member_that_is_missing_or_unknown(string body, string name)
    {
        var refused = await Server.AdminAsync(HttpMethod.Post, "clients:revoke", await Server.AdminTokenAsync(), JsonNode.Parse(body)!.AsObject());
        refused.Refused(HttpStatusCode.BadRequest, "invalid_request", name);
    }
}

public sealed class AdministrationTestsOnSqlite(SqliteServer server) : AdministrationTests(server), IClassFixture<SqliteServer>;

public sealed class AdministrationTestsOnMongoDb(MongoDbServer server) : AdministrationTests(server), IClassFixture<MongoDbServer>;
