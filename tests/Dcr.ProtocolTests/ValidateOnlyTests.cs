using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>POST /oauth/register?validate_only=true: what would come of a registration, without one.</summary>
public abstract class ValidateOnlyTests(DcrServer server) : ServerTests(server)
{
    private static JsonObject Metadata() => Requests.Metadata(TestKey.Create());

    private Task<Answer> ValidateAsync(string token, JsonObject metadata, string query = "?validate_only=true") =>
        Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/register") + query, token, metadata);

    private async Task<JsonArray> ListedAsync(OnboardingParty party) =>
        (await Server.AdminAsync(HttpMethod.Get, $"clients?onboarding_client={party.ClientId}")).Succeeded().Json["items"]!.AsArray();

    [Fact]
    [Requirement("P-DRYRUN")]
    public async Task Answers_what_would_be_registered_and_makes_nothing()
    {
        var party = await Server.OnboardingClientAsync("""{"max_registrations_per_hour":1,"max_live_clients":1,"defaults":{"contacts":["ops@directory.example"]}}""");
        var token = await Server.InitialAccessTokenAsync(party);
        var metadata = Metadata();
        metadata.Remove("scope");
        for (var i = 0; i < 3; i++)
        {
            var valid = (await ValidateAsync(token, metadata)).Succeeded();
            Assert.Equal("read", valid["scope"]);
            Assert.Equal("""["ops@directory.example"]""", valid.Json["contacts"]!.ToJsonString());
            Assert.Null(valid.Json["client_id"]);
            Assert.Null(valid.Json["registration_access_token"]);
            Assert.Null(valid.Response.Headers.ETag);
            Assert.True(valid.Response.Headers.CacheControl!.NoStore);
        }
        Assert.Empty(await ListedAsync(party));

        var registered = (await Server.RegisterAsync(token, metadata)).Succeeded(HttpStatusCode.Created);
        foreach (var (name, value) in (await ValidateAsync(await Server.InitialAccessTokenAsync(await Server.OnboardingClientAsync(party.Entry["registration_policy"]!.AsObject())), metadata)).Succeeded().Json)
        {
            Assert.True(JsonNode.DeepEquals(value, registered.Json[name]), name);
        }
    }

    [Fact]
    [Requirement("P-DRYRUN")]
    public async Task Refuses_as_a_registration_would()
    {
        var party = await Server.OnboardingClientAsync("""{"scope":{"allowed":["read"]}}""");
        var token = await Server.InitialAccessTokenAsync(party);
        var metadata = Metadata();
        metadata["scope"] = "write";
        var refused = (await ValidateAsync(token, metadata)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "registration_policy.scope");
        Assert.Equal((await Server.RegisterAsync(token, metadata)).Text, refused.Text);
        metadata["scope"] = "read";
        metadata.Remove("jwks");
        (await ValidateAsync(token, metadata)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks");
    }

    [Fact]
    [Requirement("P-DRYRUN")]
    public async Task Tries_the_keys_of_a_url()
    {
        await using var host = await JwksHost.StartAsync(TestKey.Jwks(TestKey.Create()).ToJsonString());
        var token = await Server.InitialAccessTokenAsync(await Server.OnboardingClientAsync());
        var metadata = Metadata();
        metadata.Remove("jwks");
        metadata["jwks_uri"] = host.Url;
        (await ValidateAsync(token, metadata)).Succeeded();
        metadata["jwks_uri"] = host.Url + "/missing";
        (await ValidateAsync(token, metadata)).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "jwks_uri");
    }

    [Fact]
    [Requirement("P-DRYRUN")]
    public async Task Tells_what_is_used_up_or_full()
    {
        var party = await Server.OnboardingClientAsync("""{"max_live_clients":1}""");
        var token = await Server.InitialAccessTokenAsync(party);
        (await Server.RegisterAsync(token, Metadata())).Succeeded(HttpStatusCode.Created);
        (await ValidateAsync(token, Metadata())).Refused(HttpStatusCode.Unauthorized, "invalid_token", "registration_policy.initial_access_token.uses");
        (await ValidateAsync(await Server.InitialAccessTokenAsync(party), Metadata())).Refused(HttpStatusCode.Forbidden, "access_denied", "registration_policy.max_live_clients");

        var hourly = await Server.OnboardingClientAsync("""{"max_registrations_per_hour":1}""");
        await Server.OnboardAsync(hourly);
        var full = (await ValidateAsync(await Server.InitialAccessTokenAsync(hourly), Metadata())).Refused(HttpStatusCode.TooManyRequests, "temporarily_unavailable", "registration_policy.max_registrations_per_hour");
        Assert.NotNull(full.Response.Headers.RetryAfter);
    }

    [Fact]
    [Requirement("P-DRYRUN")]
    public async Task Needs_a_token_as_a_registration_does()
    {
        (await Server.SendAsync(HttpMethod.Post, Server.Path("/oauth/register?validate_only=true"), bearer: null, Metadata())).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await ValidateAsync(await Server.AdminTokenAsync(), Metadata())).Refused(HttpStatusCode.Forbidden, "insufficient_scope");
    }

    [Theory]
    [Requirement("P-DRYRUN")]
    [InlineData("?validate_only=yes")]
    [InlineData("?validate_only=1")]
    [InlineData("?validate_only=True")]
    [InlineData("?validate_only")]
    [InlineData("?validate_only=true&validate_only=false")]
    public async Task Rejects_another_value_rather_than_register(string query)
    {
        var party = await Server.OnboardingClientAsync();
        (await ValidateAsync(await Server.InitialAccessTokenAsync(party), Metadata(), query)).Refused(HttpStatusCode.BadRequest, "invalid_request", "validate_only");
        Assert.Empty(await ListedAsync(party));
    }

    [Fact]
    [Requirement("P-DRYRUN")]
    public async Task Registers_with_false()
    {
        var party = await Server.OnboardingClientAsync();
        (await ValidateAsync(await Server.InitialAccessTokenAsync(party), Metadata(), "?validate_only=false")).Succeeded(HttpStatusCode.Created);
        Assert.Single(await ListedAsync(party));
    }

    [Fact]
    [Requirement("P-DRYRUN", "R7591-3.2.1-04")]
    public async Task Judges_a_software_statement()
    {
        var issuer = new StatementIssuer();
        var token = await Server.InitialAccessTokenAsync(await Server.OnboardingClientAsync(StatementIssuer.Policy("required", issuer.Trusted())));
        (await ValidateAsync(token, Metadata())).Refused(HttpStatusCode.BadRequest, "invalid_software_statement");
        var metadata = Metadata();
        metadata["software_statement"] = issuer.Sign();
        var valid = (await ValidateAsync(token, metadata)).Succeeded();
        Assert.Equal("the-app", valid["software_id"]);
        Assert.Equal(metadata["software_statement"]!.GetValue<string>(), valid["software_statement"]);
    }
}

public sealed class ValidateOnlyTestsOnSqlite(SqliteServer server) : ValidateOnlyTests(server), IClassFixture<SqliteServer>;

public sealed class ValidateOnlyTestsOnMongoDb(MongoDbServer server) : ValidateOnlyTests(server), IClassFixture<MongoDbServer>;
