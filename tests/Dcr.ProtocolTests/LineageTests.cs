using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Where clients came from, and what an administrator does to everything from one origin.</summary>
public abstract class LineageTests(DcrServer server) : ServerTests(server)
{
    private Task<Answer> AdminAsync(HttpMethod method, string path, JsonObject? body = null) => Server.AdminAsync(method, path, body);

    private Task<Answer> RunAsync(string what, string origin, bool? dryRun = null)
    {
        var body = new JsonObject { ["origin"] = JsonNode.Parse(origin) };
        if (dryRun is { } value)
        {
            body["dry_run"] = value;
        }
        return AdminAsync(HttpMethod.Post, $"clients:{what}", body);
    }

    private async Task<JsonObject> OriginAsync(OnboardedClient client) =>
        (await AdminAsync(HttpMethod.Get, $"clients/{client.ClientId}")).Succeeded().Json["origin"]!.AsObject();

    private async Task<List<string>> ListAsync(string query) =>
        [.. (await AdminAsync(HttpMethod.Get, $"clients?limit=200&{query}")).Succeeded().Json["items"]!.AsArray().Select(item => item!["client_id"]!.GetValue<string>())];

    /// <summary>Two clients by one token under one statement, a third by another token, and one of another party.</summary>
    private async Task<Family> FamilyAsync()
    {
        var issuer = new StatementIssuer();
        var policy = StatementIssuer.Policy("optional", issuer.Trusted());
        policy["initial_access_token"] = new JsonObject { ["uses"] = 2 };
        var party = await Server.OnboardingClientAsync(policy);
        var token = await Server.InitialAccessTokenAsync(party);
        var software = $"app-{Guid.NewGuid():N}";
        async Task<OnboardedClient> RegisterAsync(string with, string? statement)
        {
            var key = TestKey.Create();
            var metadata = Requests.Metadata(key);
            metadata["software_statement"] = statement;
            return OnboardedClient.Of((await Server.RegisterAsync(with, metadata)).Succeeded(HttpStatusCode.Created), key);
        }
        return new Family(
            party,
            issuer,
            software,
            [await RegisterAsync(token, issuer.Sign(issuer.Claims(software))), await RegisterAsync(token, issuer.Sign(issuer.Claims(software)))],
            await RegisterAsync(await Server.InitialAccessTokenAsync(party), null),
            await Server.OnboardAsync(await Server.OnboardingClientAsync()));
    }

    private sealed record Family(OnboardingParty Party, StatementIssuer Issuer, string Software, OnboardedClient[] Siblings, OnboardedClient Cousin, OnboardedClient Stranger)
    {
        public string[] SiblingIds => [.. Siblings.Select(client => client.ClientId)];
    }

    [Fact]
    [Requirement("P-LINEAGE", "P-ADMIN")]
    public async Task Records_where_a_client_came_from()
    {
        var family = await FamilyAsync();
        var origin = await OriginAsync(family.Siblings[0]);
        Assert.Equal(family.Party.ClientId, origin["onboarding_client"]!.GetValue<string>());
        Assert.Equal(family.Party.Key.Kid, origin["kid"]!.GetValue<string>());
        Assert.Equal(family.Party.Key.Thumbprint(), origin["thumbprint"]!.GetValue<string>());
        Assert.Equal(origin["initial_token_jti"]!.GetValue<string>(), (await OriginAsync(family.Siblings[1]))["initial_token_jti"]!.GetValue<string>());
        Assert.NotEqual(origin["initial_token_jti"]!.GetValue<string>(), (await OriginAsync(family.Cousin))["initial_token_jti"]!.GetValue<string>());
        Assert.Equal(family.Issuer.Issuer, origin["software_statement"]!["issuer"]!.GetValue<string>());
        Assert.Equal(family.Software, origin["software_statement"]!["software_id"]!.GetValue<string>());
        Assert.Null((await OriginAsync(family.Cousin))["software_statement"]);
    }

    [Fact]
    [Requirement("P-LINEAGE")]
    public async Task Lists_by_every_part_of_an_origin()
    {
        var family = await FamilyAsync();
        var jti = (await OriginAsync(family.Siblings[0]))["initial_token_jti"]!.GetValue<string>();
        string[] three = [.. family.SiblingIds, family.Cousin.ClientId];
        Assert.Equal(three.Order(), (await ListAsync($"onboarding_client={family.Party.ClientId}")).Order());
        Assert.Equal(three.Order(), (await ListAsync($"kid={family.Party.Key.Kid}")).Order());
        Assert.Equal(three.Order(), (await ListAsync($"thumbprint={family.Party.Key.Thumbprint()}")).Order());
        Assert.Equal(family.SiblingIds.Order(), (await ListAsync($"initial_token_jti={jti}")).Order());
        Assert.Equal(family.SiblingIds.Order(), (await ListAsync($"software_statement_issuer={Uri.EscapeDataString(family.Issuer.Issuer)}")).Order());
        Assert.Equal(family.SiblingIds.Order(), (await ListAsync($"software_id={family.Software}")).Order());

        // All at once, and with a status.
        Assert.Equal(family.SiblingIds.Order(), (await ListAsync($"onboarding_client={family.Party.ClientId}&software_id={family.Software}&status=active")).Order());
        Assert.Empty(await ListAsync($"onboarding_client={family.Party.ClientId}&status=revoked"));
        Assert.Empty(await ListAsync($"onboarding_client={family.Party.ClientId}&initial_token_jti=another"));
        Assert.Empty(await ListAsync("software_id=nobody"));
    }

    [Fact]
    [Requirement("P-LINEAGE")]
    public async Task Lists_page_by_page()
    {
        var family = await FamilyAsync();
        var found = new List<string>();
        string? cursor = null;
        do
        {
            var page = (await AdminAsync(HttpMethod.Get, $"clients?onboarding_client={family.Party.ClientId}&limit=1{(cursor is null ? "" : $"&cursor={cursor}")}")).Succeeded();
            found.Add(Assert.Single(page.Json["items"]!.AsArray())!["client_id"]!.GetValue<string>());
            cursor = page.Json["next"]?.GetValue<string>();
        }
        while (cursor is not null);
        Assert.Equal(new[] { family.SiblingIds[0], family.SiblingIds[1], family.Cousin.ClientId }.Order(), found.Order());
    }

    [Fact]
    [Requirement("P-LINEAGE", "P-REV")]
    public async Task Revokes_everything_of_one_origin_and_nothing_else()
    {
        var family = await FamilyAsync();
        var jti = (await OriginAsync(family.Siblings[0]))["initial_token_jti"]!.GetValue<string>();
        var done = (await RunAsync("revoke", $$"""{"initial_token_jti":"{{jti}}"}""")).Succeeded();
        Assert.Equal(2, done.Json["matched"]!.GetValue<long>());
        Assert.Equal(2, done.Json["revoked"]!.GetValue<long>());
        Assert.True(done.Json["done"]!.GetValue<bool>());
        Assert.Equal(done.Json.ToJsonString(), (await AdminAsync(HttpMethod.Get, $"operations/{done["operation"]}")).Succeeded().Json.ToJsonString());

        foreach (var client in family.Siblings)
        {
            Assert.Equal("revoked", await Server.StatusAsync(client));
            (await Server.PostTokenAsync(Server.Assertion(client.Key, client.ClientId).Sign())).Refused(HttpStatusCode.Unauthorized, "invalid_client");
            (await Server.GetAsync(client.Path, client.RegistrationAccessToken)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
            var audit = Assert.Single(
                (await AdminAsync(HttpMethod.Get, $"audit?subject={client.ClientId}")).Succeeded().Json["items"]!.AsArray(),
                record => record!["action"]!.GetValue<string>() == "client.revoked")!;
            Assert.Equal(DcrServer.Admin, audit["actor"]!.GetValue<string>());
            Assert.Equal(done["operation"], audit["changes"]!["operation"]!["after"]!.GetValue<string>());
        }
        foreach (var client in new[] { family.Cousin, family.Stranger })
        {
            Assert.Equal("active", await Server.StatusAsync(client));
            await Server.AccessTokenAsync(client.Key, client.ClientId);
        }
        Assert.Equal(0, (await RunAsync("revoke", $$"""{"initial_token_jti":"{{jti}}"}""")).Succeeded().Json["matched"]!.GetValue<long>());
    }

    [Theory]
    [Requirement("P-LINEAGE")]
    [InlineData("onboarding_client", 3)]
    [InlineData("kid", 3)]
    [InlineData("thumbprint", 3)]
    [InlineData("software_statement_issuer", 2)]
    [InlineData("software_id", 2)]
    public async Task Takes_any_part_of_an_origin(string member, int matched)
    {
        var family = await FamilyAsync();
        var value = member switch
        {
            "onboarding_client" => family.Party.ClientId,
            "kid" => family.Party.Key.Kid,
            "thumbprint" => family.Party.Key.Thumbprint(),
            "software_id" => family.Software,
            _ => family.Issuer.Issuer,
        };
        Assert.Equal(matched, (await RunAsync("revoke", $$"""{"{{member}}":"{{value}}"}""")).Succeeded().Json["revoked"]!.GetValue<long>());
        Assert.Equal("revoked", await Server.StatusAsync(family.Siblings[0]));
        Assert.Equal(matched == 3 ? "revoked" : "active", await Server.StatusAsync(family.Cousin));
        Assert.Equal("active", await Server.StatusAsync(family.Stranger));
    }

    [Fact]
    [Requirement("P-LINEAGE")]
    public async Task Narrows_by_every_part_that_is_given()
    {
        var family = await FamilyAsync();
        Assert.Equal(0, (await RunAsync("revoke", $$"""{"onboarding_client":"{{family.Party.ClientId}}","kid":"another"}""")).Succeeded().Json["revoked"]!.GetValue<long>());
        Assert.Equal(2, (await RunAsync("revoke", $$"""{"onboarding_client":"{{family.Party.ClientId}}","software_id":"{{family.Software}}"}""")).Succeeded().Json["revoked"]!.GetValue<long>());
    }

    [Theory]
    [Requirement("P-LINEAGE", "P-DRYRUN")]
    [InlineData("revoke", "revoked")]
    [InlineData("suspend", "suspended")]
    public async Task Only_counts_in_a_dry_run(string what, string member)
    {
        var family = await FamilyAsync();
        var counted = (await RunAsync(what, $$"""{"onboarding_client":"{{family.Party.ClientId}}"}""", dryRun: true)).Succeeded();
        Assert.Equal(3, counted.Json["matched"]!.GetValue<long>());
        Assert.Equal(0, counted.Json[member]!.GetValue<long>());
        Assert.True(counted.Json["done"]!.GetValue<bool>());
        Assert.True(counted.Json["dry_run"]!.GetValue<bool>());
        Assert.Equal(counted.Text, (await AdminAsync(HttpMethod.Get, $"operations/{counted["operation"]}")).Succeeded().Text);
        Assert.All(await Task.WhenAll(family.Siblings.Select(client => Server.StatusAsync(client))), status => Assert.Equal("active", status));
        Assert.Empty((await AdminAsync(HttpMethod.Get, $"audit?subject={counted["operation"]}")).Succeeded().Json["items"]!.AsArray());
    }

    [Fact]
    [Requirement("P-LINEAGE", "P-AUDIT")]
    public async Task Suspends_what_is_active_and_lets_each_be_resumed()
    {
        var family = await FamilyAsync();
        (await AdminAsync(HttpMethod.Post, $"clients/{family.Cousin.ClientId}/revoke")).Succeeded();
        var done = (await RunAsync("suspend", $$"""{"onboarding_client":"{{family.Party.ClientId}}"}""", dryRun: false)).Succeeded();
        Assert.Equal(2, done.Json["matched"]!.GetValue<long>());
        Assert.Equal(2, done.Json["suspended"]!.GetValue<long>());
        Assert.Null(done.Json["revoked"]);
        Assert.Equal("suspended", await Server.StatusAsync(family.Siblings[0]));
        Assert.Equal("revoked", await Server.StatusAsync(family.Cousin));
        (await Server.GetAsync(family.Siblings[0].Path, family.Siblings[0].RegistrationAccessToken)).Refused(HttpStatusCode.Forbidden, "access_denied");

        var record = Assert.Single((await AdminAsync(HttpMethod.Get, $"audit?subject={done["operation"]}")).Succeeded().Json["items"]!.AsArray())!;
        Assert.Equal("origin.suspended", record["action"]!.GetValue<string>());
        Assert.Equal(family.Party.ClientId, record["changes"]!["onboarding_client"]!["after"]!.GetValue<string>());

        (await AdminAsync(HttpMethod.Post, $"clients/{family.Siblings[0].ClientId}/resume")).Succeeded();
        await Server.AccessTokenAsync(family.Siblings[0].Key, family.Siblings[0].ClientId);
        // What is suspended can still be revoked.
        Assert.Equal(2, (await RunAsync("revoke", $$"""{"onboarding_client":"{{family.Party.ClientId}}"}""")).Succeeded().Json["revoked"]!.GetValue<long>());
    }

    [Theory]
    [Requirement("P-LINEAGE")]
    [InlineData("{}", "origin")]
    [InlineData("""{"origin":{}}""", "origin")]
    [InlineData("""{"origin":null}""", "origin")]
    [InlineData("""{"origin":{"kid":null}}""", "origin")]
    [InlineData("""{"origin":{"client":"x"}}""", "origin")]
    [InlineData("""{"origin":{"kid":5}}""", "kid")]
    [InlineData("""{"origin":{"kid":"x"},"dryrun":true}""", "dryrun")]
    [InlineData("""{"origin":{"kid":"x"},"dry_run":"true"}""", "dry_run")]
    public async Task Rejects_a_request_it_does_not_understand(string body, string names)
    {
        (await AdminAsync(HttpMethod.Post, "clients:revoke", JsonNode.Parse(body)!.AsObject())).Refused(HttpStatusCode.BadRequest, "invalid_request", names);
        (await AdminAsync(HttpMethod.Post, "clients:suspend", JsonNode.Parse(body)!.AsObject())).Refused(HttpStatusCode.BadRequest, "invalid_request", names);
    }

    [Fact]
    [Requirement("P-ADMIN")]
    public async Task Is_for_administrators_and_knows_its_operations()
    {
        (await AdminAsync(HttpMethod.Get, "operations/none")).Refused(HttpStatusCode.NotFound, "not_found");
        var token = await Server.InitialAccessTokenAsync();
        (await Server.AdminAsync(HttpMethod.Post, "clients:revoke", token, new JsonObject { ["origin"] = new JsonObject { ["kid"] = "x" } })).Refused(HttpStatusCode.Forbidden, "insufficient_scope");
        (await Server.AdminAsync(HttpMethod.Get, "operations/none", token)).Refused(HttpStatusCode.Forbidden, "insufficient_scope");
    }
}

public sealed class LineageTestsOnSqlite(SqliteServer server) : LineageTests(server), IClassFixture<SqliteServer>;

public sealed class LineageTestsOnMongoDb(MongoDbServer server) : LineageTests(server), IClassFixture<MongoDbServer>;
