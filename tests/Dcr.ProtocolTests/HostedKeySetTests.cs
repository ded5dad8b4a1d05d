using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Key sets that the server hosts for clients without a URL: from pending to withdrawn.</summary>
public abstract class HostedKeySetTests(DcrServer server) : ServerTests(server)
{
    private async Task<Answer> AdminAsync(HttpMethod method, string path, JsonObject? body = null) =>
        await Server.AdminAsync(method, path, await Server.AdminTokenAsync(), body);

    private async Task<Answer> CreateAsync() => (await AdminAsync(HttpMethod.Post, "key-sets")).Succeeded(HttpStatusCode.Created);

    private Task<Answer> AddAsync(string id, TestKey key) => AdminAsync(HttpMethod.Post, $"key-sets/{id}/keys", key.PublicJwk());

    private Task<Answer> MoveAsync(string id, TestKey key, string step, JsonObject? body = null) => AdminAsync(HttpMethod.Post, $"key-sets/{id}/keys/{key.Kid}/{step}", body);

    private Task<Answer> UseAsync(OnboardedClient client, TestKey key) => Server.PostTokenAsync(Server.Assertion(key, client.ClientId).Sign());

    private async Task<string[]> PublishedAsync(string id) =>
        [.. (await Server.GetAsync($"/keys/{id}/jwks.json")).Succeeded().Json["keys"]!.AsArray().Select(key => key!["kid"]!.GetValue<string>())];

    /// <summary>A set with one active key, and a client that uses it.</summary>
    private async Task<(string Id, TestKey Key, OnboardedClient Client)> StartAsync()
    {
        var set = await CreateAsync();
        var key = TestKey.Create(kid: "first");
        (await AddAsync(set["id"], key)).Succeeded(HttpStatusCode.Created);
        (await MoveAsync(set["id"], key, "activate")).Succeeded();
        var client = await Server.OnboardAsync(key, m =>
        {
            m.Remove("jwks");
            m["jwks_uri"] = set["jwks_uri"];
        });
        return (set["id"], key, client);
    }

    private JsonObject In(TimeSpan time) => new() { ["until"] = Server.Time.GetUtcNow().Add(time) };

    [Fact]
    [Requirement("P-HOSTED")]
    public async Task Old_and_new_key_overlap_until_the_old_one_ends_by_itself()
    {
        var (id, first, client) = await StartAsync();
        (await UseAsync(client, first)).Succeeded();

        var second = TestKey.Create(kid: "second");
        var added = (await AddAsync(id, second)).Succeeded(HttpStatusCode.Created);
        Assert.Equal("pending", added["state"]);
        Assert.Equal(second.Thumbprint(), added["thumbprint"]);
        Assert.Equal(["first", "second"], await PublishedAsync(id));
        (await UseAsync(client, second)).Refused(HttpStatusCode.Unauthorized, "invalid_client");

        Assert.Equal("active", (await MoveAsync(id, second, "activate")).Succeeded()["state"]);
        (await UseAsync(client, second)).Succeeded();
        (await UseAsync(client, first)).Succeeded();

        Assert.Equal("retiring", (await MoveAsync(id, first, "retire", In(TimeSpan.FromHours(2)))).Succeeded()["state"]);
        Server.Time.Advance(TimeSpan.FromMinutes(119));
        (await UseAsync(client, first)).Succeeded();
        Server.Time.Advance(TimeSpan.FromMinutes(1));
        (await UseAsync(client, first)).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await UseAsync(client, second)).Succeeded();
        Assert.Equal(["second"], await PublishedAsync(id));
        var shown = (await AdminAsync(HttpMethod.Get, $"key-sets/{id}")).Succeeded();
        Assert.Equal(["withdrawn", "active"], shown.Json["keys"]!.AsArray().Select(key => key!["state"]!.GetValue<string>()));
    }

    [Fact]
    [Requirement("P-HOSTED")]
    public async Task A_withdrawn_key_is_refused_at_once_and_its_kid_is_never_used_again()
    {
        var (id, first, client) = await StartAsync();
        (await MoveAsync(id, first, "withdraw")).Succeeded();
        (await UseAsync(client, first)).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        Assert.Empty(await PublishedAsync(id));
        (await AddAsync(id, TestKey.Create(kid: "first"))).Refused(HttpStatusCode.Conflict, "conflict", "new kid");
        (await MoveAsync(id, first, "activate")).Refused(HttpStatusCode.Conflict, "conflict");
    }

    [Fact]
    [Requirement("P-HOSTED")]
    public async Task Shows_when_a_key_is_safe_to_retire()
    {
        var (id, first, client) = await StartAsync();
        var second = TestKey.Create(kid: "second");
        await AddAsync(id, second);
        await MoveAsync(id, second, "activate");
        (await UseAsync(client, first)).Succeeded();
        async Task<JsonNode> FirstAsync() => (await AdminAsync(HttpMethod.Get, $"key-sets/{id}")).Succeeded().Json["keys"]![0]!;
        Assert.False((await FirstAsync())["safe_to_retire"]!.GetValue<bool>());
        Assert.Equal(Server.Time.GetUtcNow(), (await FirstAsync())["last_used_at"]!.GetValue<DateTimeOffset>(), TimeSpan.FromSeconds(1));
        Server.Time.Advance(TimeSpan.FromHours(25));
        (await UseAsync(client, second)).Succeeded();
        Assert.True((await FirstAsync())["safe_to_retire"]!.GetValue<bool>());
    }

    [Fact]
    [Requirement("P-HOSTED")]
    public async Task Publishes_with_an_ETag()
    {
        var (id, _, _) = await StartAsync();
        var first = await Server.GetAsync($"/keys/{id}/jwks.json");
        Assert.Equal(60, first.Response.Headers.CacheControl!.MaxAge!.Value.TotalSeconds);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Server.Issuer}/keys/{id}/jwks.json");
        request.Headers.IfNoneMatch.Add(first.Response.Headers.ETag!);
        Assert.Equal(HttpStatusCode.NotModified, (await Server.Http.SendAsync(request, Cancellation)).StatusCode);
        (await Server.GetAsync("/keys/nothing/jwks.json")).Refused(HttpStatusCode.NotFound, "not_found");
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [Requirement("P-HOSTED")]
    public async Task Rejects_a_kid_that_no_URL_could_name(string kid)
    {
        var (id, _, _) = await StartAsync();
        (await AddAsync(id, TestKey.Create(kid: kid))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "kid");
        Assert.Equal(["first"], await PublishedAsync(id));
    }

    [Fact]
    [Requirement("P-HOSTED", "P-KEY")]
    public async Task Rejects_what_would_do_harm()
    {
        var (id, first, client) = await StartAsync();
        (await AdminAsync(HttpMethod.Post, $"key-sets/{id}/keys", TestKey.Create(kid: "private").PrivateJwk())).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "private");
        (await AddAsync(id, TestKey.Create("RS256", "weak", 1024))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "1024");
        (await AddAsync(id, first.As(kid: "again"))).Refused(HttpStatusCode.Conflict, "conflict");
        (await MoveAsync(id, first, "retire", In(TimeSpan.FromHours(1)))).Refused(HttpStatusCode.Conflict, "conflict", "locked out");
        (await MoveAsync(id, first, "retire", In(TimeSpan.FromHours(-1)))).Refused(HttpStatusCode.BadRequest, "invalid_request", "until");
        (await MoveAsync(id, first, "retire", [])).Refused(HttpStatusCode.BadRequest, "invalid_request");
        (await MoveAsync(id, TestKey.Create(kid: "unknown"), "activate")).Refused(HttpStatusCode.NotFound, "not_found");
        (await AddAsync("nothing", first)).Refused(HttpStatusCode.NotFound, "not_found");
        (await UseAsync(client, first)).Succeeded();
    }

    [Fact]
    [Requirement("P-HOSTED")]
    public async Task Cannot_be_registered_without_an_active_key()
    {
        var set = await CreateAsync();
        var metadata = Requests.Metadata(TestKey.Create());
        metadata.Remove("jwks");
        metadata["jwks_uri"] = set["jwks_uri"];
        (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(), metadata)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "active key");
        metadata["jwks_uri"] = $"{Server.Issuer}/keys/{new string('0', 32)}/jwks.json";
        (await Server.RegisterAsync(await Server.InitialAccessTokenAsync(), metadata)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "no such");
    }

    private string Proof(TestKey signer, OnboardedClient client, TestKey about, string urlEnd = "", Action<AssertionScenario>? change = null)
    {
        var proof = new AssertionScenario(signer, client.ClientId, client.RegistrationClientUri + "/keys" + urlEnd, Server.Time.GetUtcNow())
            .WithHeader("typ", "key-proof+jwt").WithClaim("sub", about.Thumbprint());
        change?.Invoke(proof);
        return proof.Sign();
    }

    private Task<Answer> PostAsync(OnboardedClient client, string urlEnd, JsonObject body) =>
        Server.SendAsync(HttpMethod.Post, client.Path + "/keys" + urlEnd, client.RegistrationAccessToken, body);

    [Fact]
    [Requirement("P-HOSTED", "P-AUDIT")]
    public async Task A_client_renews_its_key_by_itself()
    {
        var (id, first, client) = await StartAsync();
        var second = TestKey.Create(kid: "second");
        var added = await PostAsync(client, "", new() { ["jwk"] = second.PublicJwk(), ["proof"] = Proof(first, client, second) });
        Assert.Equal("pending", added.Succeeded(HttpStatusCode.Created)["state"]);
        (await PostAsync(client, "/second/activate", new() { ["proof"] = Proof(first, client, second, "/second/activate") })).Succeeded();
        (await UseAsync(client, second)).Succeeded();
        var retire = In(TimeSpan.FromHours(1));
        retire["proof"] = Proof(second, client, first, "/first/retire");
        Assert.Equal("retiring", (await PostAsync(client, "/first/retire", retire)).Succeeded()["state"]);
        (await PostAsync(client, "/first/withdraw", new() { ["proof"] = Proof(second, client, first, "/first/withdraw") })).Succeeded();
        (await UseAsync(client, first)).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        var shown = (await Server.GetAsync(client.Path + "/keys", client.RegistrationAccessToken)).Succeeded();
        Assert.Equal(["withdrawn", "active"], shown.Json["keys"]!.AsArray().Select(key => key!["state"]!.GetValue<string>()));
        var audit = (await AdminAsync(HttpMethod.Get, $"audit?subject={id}")).Json["items"]!.AsArray();
        Assert.Equal(client.ClientId, audit[0]!["actor"]!.GetValue<string>());
        Assert.Equal("second", audit[0]!["actor_kid"]!.GetValue<string>());
    }

    [Fact]
    [Requirement("P-HOSTED", "R8725-3.12-01")]
    public async Task Rejects_a_change_that_no_active_key_proves()
    {
        var (_, first, client) = await StartAsync();
        var second = TestKey.Create(kid: "second");
        Task<Answer> AddAsync(string proof) => PostAsync(client, "", new() { ["jwk"] = second.PublicJwk(), ["proof"] = proof });
        foreach (var proof in new[]
        {
            "x",
            Proof(second, client, second),
            Proof(second.As(kid: "first"), client, second),
            Proof(first, client, first),
            Proof(first, client, second, "/second/activate"),
            Proof(first, client, second, change: p => p.WithHeader("typ", "JWT")),
            Proof(first, client, second, change: p => p.WithClaim("iss", "somebody-else")),
            Proof(first, client, second, change: p => p.Without("jti")),
            Proof(first, client, second, change: p => p.WithClaim("exp", Server.Time.GetUtcNow().AddMinutes(6).ToUnixTimeSeconds())),
            Proof(first, client, second, change: p => p.WithClaim("exp", Server.Time.GetUtcNow().AddMinutes(-1).ToUnixTimeSeconds())),
            Server.Assertion(first, client.ClientId).Sign(),
        })
        {
            (await AddAsync(proof)).Refused(HttpStatusCode.BadRequest, "invalid_key_proof");
        }
        var good = Proof(first, client, second);
        (await Server.PostTokenAsync(good)).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await AddAsync(good)).Succeeded(HttpStatusCode.Created);
        (await AddAsync(good)).Refused(HttpStatusCode.BadRequest, "invalid_key_proof", "used before");
    }

    [Fact]
    [Requirement("P-HOSTED")]
    public async Task A_client_that_names_the_set_of_another_cannot_change_it()
    {
        var (_, first, victim) = await StartAsync();
        var thief = await Server.OnboardAsync(change: m =>
        {
            m.Remove("jwks");
            m["jwks_uri"] = victim.Information["jwks_uri"]!.GetValue<string>();
        });
        (await PostAsync(thief, "/first/withdraw", new() { ["proof"] = Proof(thief.Key, thief, first, "/first/withdraw") })).Refused(HttpStatusCode.BadRequest, "invalid_key_proof");
        (await UseAsync(victim, first)).Succeeded();
        var inline = await Server.OnboardAsync();
        (await Server.GetAsync(inline.Path + "/keys", inline.RegistrationAccessToken)).Refused(HttpStatusCode.NotFound, "not_found");
    }

    [Fact]
    [Requirement("P-HOSTED", "P-AUDIT")]
    public async Task Is_listed_deleted_and_audited()
    {
        var (id, first, client) = await StartAsync();
        var listed = (await AdminAsync(HttpMethod.Get, "key-sets?limit=200")).Succeeded().Json["items"]!.AsArray();
        Assert.Contains(listed, set => set!["id"]!.GetValue<string>() == id);
        Assert.Equal(HttpStatusCode.NoContent, (await AdminAsync(HttpMethod.Delete, $"key-sets/{id}")).Status);
        (await AdminAsync(HttpMethod.Get, $"key-sets/{id}")).Refused(HttpStatusCode.NotFound, "not_found");
        (await UseAsync(client, first)).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        var audit = (await AdminAsync(HttpMethod.Get, $"audit?subject={id}")).Succeeded().Json["items"]!.AsArray();
        Assert.Equal(
            ["key_set.deleted", "key_set.key_activated", "key_set.key_added", "key_set.created"],
            audit.Select(record => record!["action"]!.GetValue<string>()));
    }
}

public sealed class HostedKeySetTestsOnSqlite(SqliteServer server) : HostedKeySetTests(server), IClassFixture<SqliteServer>;

public sealed class HostedKeySetTestsOnMongoDb(MongoDbServer server) : HostedKeySetTests(server), IClassFixture<MongoDbServer>;

/// <summary>A hosted set needs none of the settings that let downloads go anywhere: it is not downloaded.</summary>
public sealed class HostedKeySetOnStrictServerTests
{
    [Fact]
    [Requirement("P-HOSTED", "P-URI")]
    public async Task Is_registered_and_used_where_only_public_https_may_be_downloaded()
    {
        await using var server = new SqliteServer();
        server.Settings.Clear();
        await server.InitializeAsync();
        var admin = await server.AdminTokenAsync();
        var set = (await server.AdminAsync(HttpMethod.Post, "key-sets", admin)).Succeeded(HttpStatusCode.Created);
        var key = TestKey.Create(kid: "first");
        (await server.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys", admin, key.PublicJwk())).Succeeded(HttpStatusCode.Created);
        (await server.AdminAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys/first/activate", admin)).Succeeded();
        var client = await server.OnboardAsync(key, m =>
        {
            m.Remove("jwks");
            m["jwks_uri"] = set["jwks_uri"];
        });
        await server.AccessTokenAsync(key, client.ClientId);

        var elsewhere = Requests.Metadata(key);
        elsewhere.Remove("jwks");
        elsewhere["jwks_uri"] = "http://keys.example/jwks.json";
        (await server.RegisterAsync(await server.InitialAccessTokenAsync(), elsewhere)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "https");
    }
}
