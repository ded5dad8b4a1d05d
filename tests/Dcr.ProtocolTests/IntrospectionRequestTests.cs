using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Introspection requests: RFC 7662, RFC 9701.</summary>
public abstract class IntrospectionRequestTests(DcrServer server) : ServerTests(server)
{
    private Task<Answer> AdminAsync(HttpMethod method, string path, string token) => Server.AdminAsync(method, path, token);

    [Fact]
    [Requirement("R7662-2.1-01", "R7662-2.2-01", "R7662-4-01")]
    public async Task Tells_all_about_a_live_token()
    {
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId, "read");
        var claims = TokenQueries.Claims(token);

        var answer = (await Server.IntrospectAsync(token)).Succeeded();

        Assert.True(answer.Response.Headers.CacheControl!.NoStore);
        var expected = new JsonObject
        {
            ["active"] = true,
            ["scope"] = "read",
            ["client_id"] = client.ClientId,
            ["sub"] = client.ClientId,
            ["aud"] = Server.Issuer,
            ["iss"] = Server.Issuer,
            ["exp"] = claims["exp"]!.DeepClone(),
            ["iat"] = claims["iat"]!.DeepClone(),
            ["jti"] = claims["jti"]!.DeepClone(),
            ["token_type"] = "Bearer",
        };
        Assert.True(JsonNode.DeepEquals(expected, answer.Json), answer.Text);
    }

    [Theory]
    [Requirement("R7662-2.2-01", "R7662-2.2-02", "P-REVTOKENS", "R7592-2.3-02")]
    [InlineData("suspend")]
    [InlineData("revoke")]
    [InlineData("sign-out")]
    public async Task A_token_dies_with_its_client_at_once_and_no_other_does(string step)
    {
        var admin = await Server.AdminTokenAsync();
        var stopped = await Server.OnboardAsync();
        var other = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(stopped.Key, stopped.ClientId);
        var others = await Server.AccessTokenAsync(other.Key, other.ClientId);
        Assert.True(await Server.IsActiveAsync(token));

        (await AdminAsync(HttpMethod.Post, $"clients/{stopped.ClientId}/{step}", admin)).Succeeded();

        Assert.False(await Server.IsActiveAsync(token));
        Assert.True(await Server.IsActiveAsync(others));
    }

    [Fact]
    [Requirement("R7662-2.2-01")]
    public async Task A_client_that_is_signed_out_goes_on_with_new_tokens()
    {
        var admin = await Server.AdminTokenAsync();
        var client = await Server.OnboardAsync();
        var old = await Server.AccessTokenAsync(client.Key, client.ClientId);
        Assert.Equal("active", (await AdminAsync(HttpMethod.Post, $"clients/{client.ClientId}/sign-out", admin)).Succeeded()["status"]);
        var fresh = await Server.AccessTokenAsync(client.Key, client.ClientId);
        Assert.True(await Server.IsActiveAsync(fresh));
        Assert.False(await Server.IsActiveAsync(old));
        (await AdminAsync(HttpMethod.Post, "clients/nobody/sign-out", admin)).Refused(HttpStatusCode.NotFound, "not_found");
    }

    [Fact]
    [Requirement("P-REVTOKENS")]
    public async Task An_administrator_who_is_signed_out_is_out()
    {
        var admin = await Server.AdminTokenAsync();
        (await AdminAsync(HttpMethod.Post, $"clients/{DcrServer.Admin}/sign-out", admin)).Succeeded();
        (await AdminAsync(HttpMethod.Get, "clients", admin)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await AdminAsync(HttpMethod.Get, "clients", await Server.AdminTokenAsync())).Succeeded();
    }

    [Fact]
    [Requirement("R7592-2.3-02", "R7662-2.2-01")]
    public async Task A_token_dies_with_the_deletion_of_its_client_and_with_time()
    {
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        Assert.Equal(HttpStatusCode.NoContent, (await Server.SendAsync(HttpMethod.Delete, client.Path, client.RegistrationAccessToken, (HttpContent?)null)).Status);
        Assert.False(await Server.IsActiveAsync(token));

        var other = await Server.OnboardAsync();
        var late = await Server.AccessTokenAsync(other.Key, other.ClientId);
        Server.Time.Advance(TimeSpan.FromMinutes(11));
        Assert.False(await Server.IsActiveAsync(late));
    }

    [Fact]
    [Requirement("R7662-2.2-02", "R7662-2.3-01")]
    public async Task What_is_no_token_of_this_server_is_inactive_and_no_error()
    {
        var stranger = TestKey.Create();
        var foreign = new AssertionScenario(stranger, "somebody", Server.Issuer, Server.Time.GetUtcNow()).WithHeader("typ", "at+jwt").WithClaim("client_id", "somebody").Sign();
        foreach (var token in new[] { "garbage", "a.b.c", foreign, new string('x', 9000) })
        {
            Assert.False(await Server.IsActiveAsync(token));
        }
    }

    [Fact]
    [Requirement("R7662-2.1-02", "R7662-2.2-02")]
    public async Task An_API_without_resources_learns_nothing_of_tokens_that_are_meant_for_others()
    {
        const string Orders = "https://orders.example/";
        var party = await Server.OnboardingClientAsync("""{"resources":{"allowed":["https://orders.example/"]}}""");
        var client = await Server.OnboardAsync(party, metadata => metadata["resources"] = new JsonArray(Orders));
        var form = Requests.TokenForm(Server.Assertion(client.Key, client.ClientId).Sign());
        form["resource"] = Orders;
        foreach (var token in new[] { (await Server.PostTokenAsync(form)).Succeeded()["access_token"], await Server.InitialAccessTokenAsync(party), await Server.AdminTokenAsync() })
        {
            Assert.False(await Server.IsActiveAsync(token));
        }
        Assert.True(await Server.IsActiveAsync(await Server.AccessTokenAsync(client.Key, client.ClientId)));
    }

    [Fact]
    [Requirement("R7662-2.1-01", "R7662-2.3-01")]
    public async Task Rejects_a_caller_that_may_not_ask()
    {
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        (await Server.PostFormAsync("/oauth/introspect", new Dictionary<string, string> { ["token"] = token })).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        (await Server.PostFormAsync("/oauth/introspect", Server.TokenQuery(token, client.Key, client.ClientId))).Refused(HttpStatusCode.Forbidden, "access_denied", "introspect");
        (await Server.PostFormAsync("/oauth/introspect", Server.TokenQuery(null, Server.ApiKey, DcrServer.Api))).Refused(HttpStatusCode.BadRequest, "invalid_request", "token");
    }

    [Fact]
    [Requirement("R9701-4-01", "R9701-5-01")]
    public async Task Answers_with_a_signed_JWT_when_asked_for_one()
    {
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        var query = Server.TokenQuery(token, Server.ApiKey, DcrServer.Api);

        var answer = await Server.PostFormAsync("/oauth/introspect", query, "application/token-introspection+jwt");

        Assert.Equal("application/token-introspection+jwt", answer.Response.Content.Headers.ContentType!.MediaType);
        var keys = new JsonWebKeySet((await Server.GetAsync("/oauth/jwks")).Text);
        var verified = await new JsonWebTokenHandler().ValidateTokenAsync(answer.Text, new TokenValidationParameters
        {
            ValidTypes = ["token-introspection+jwt"],
            ValidIssuer = Server.Issuer,
            ValidAudience = DcrServer.Api,
            IssuerSigningKeys = keys.Keys,
            RequireExpirationTime = false,
        });
        Assert.True(verified.IsValid, verified.Exception?.Message);
        var inner = TokenQueries.Claims(answer.Text)["token_introspection"]!;
        Assert.True(inner["active"]!.GetValue<bool>());
        Assert.Equal(client.ClientId, inner["client_id"]!.GetValue<string>());

        var json = await Server.PostFormAsync("/oauth/introspect", Server.TokenQuery(token, Server.ApiKey, DcrServer.Api), "application/json, application/token-introspection+jwt;q=0.5");
        Assert.Equal("application/json", json.Response.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    [Requirement("R7662-2.1-02")]
    public async Task An_API_that_is_registered_for_resources_sees_no_other_tokens()
    {
        var admin = await Server.AdminTokenAsync();
        var client = await Server.OnboardAsync();
        var token = await Server.AccessTokenAsync(client.Key, client.ClientId);
        var narrow = await NarrowApiAsync(admin);
        var answer = await Server.PostFormAsync("/oauth/introspect", Server.TokenQuery(token, Server.ApiKey, narrow));
        Assert.False(answer.Succeeded().Json["active"]!.GetValue<bool>());
    }

    /// <summary>An API that onboards nobody, made as an onboarding client because those can be made while the server runs.</summary>
    private async Task<string> NarrowApiAsync(string admin)
    {
        var id = $"api-{Guid.NewGuid():N}";
        var entry = DcrServer.SeedClient(id, "dcr introspect", Server.ApiKey, new JsonObject());
        entry["resources"] = new JsonArray("https://other.example/");
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", admin, entry)).Succeeded(HttpStatusCode.Created);
        return id;
    }
}

public sealed class IntrospectionRequestTestsOnSqlite(SqliteServer server) : IntrospectionRequestTests(server), IClassFixture<SqliteServer>;

public sealed class IntrospectionRequestTestsOnMongoDb(MongoDbServer server) : IntrospectionRequestTests(server), IClassFixture<MongoDbServer>;
