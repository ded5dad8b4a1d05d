using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Resource indicators: RFC 8707. Which APIs a client may ask tokens for is part of its registration, within the policy.</summary>
public abstract class ResourceIndicatorTests(DcrServer server) : ServerTests(server)
{
    private const string Orders = "https://orders.example/";
    private const string Stock = "https://stock.example/api";

    private async Task<string> InitialTokenAsync(JsonObject? resources)
    {
        var id = $"onboarding-{Guid.NewGuid():N}";
        var policy = new JsonObject { ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read"), ["default"] = new JsonArray("read") } };
        if (resources is not null)
        {
            policy["resources"] = resources;
        }
        (await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", await Server.AdminTokenAsync(), DcrServer.SeedClient(id, "dcr", Server.OnboardingKey, policy))).Succeeded(HttpStatusCode.Created);
        return await Server.InitialAccessTokenAsync(id);
    }

    private static JsonObject Policy(params string[] defaults) => new()
    {
        ["allowed"] = new JsonArray(Orders, Stock),
        ["default"] = new JsonArray([.. defaults.Select(resource => JsonValue.Create(resource))]),
    };

    private static JsonObject Metadata(TestKey key, params string[] resources)
    {
        var metadata = Requests.Metadata(key);
        metadata["resources"] = new JsonArray([.. resources.Select(resource => JsonValue.Create(resource))]);
        return metadata;
    }

    private Task<Answer> TokenAsync(TestKey key, string clientId, params string[] resources) => Server.PostTokenAsync(
        [.. Requests.TokenForm(Server.Assertion(key, clientId).Sign(), "read"), .. resources.Select(resource => KeyValuePair.Create("resource", resource))]);

    [Fact]
    [Requirement("R8707-2-01", "R8707-2-02", "R9068-3-01", "R9700-2.3-01")]
    public async Task Gives_a_token_for_one_API_among_those_that_are_registered()
    {
        var key = TestKey.Create();
        var client = (await Server.RegisterAsync(await InitialTokenAsync(Policy()), Metadata(key, Orders, Stock))).Succeeded(HttpStatusCode.Created);
        Assert.Equal(2, client.Json["resources"]!.AsArray().Count);

        foreach (var resource in new[] { Orders, Stock, Server.Issuer })
        {
            var token = (await TokenAsync(key, client["client_id"], resource)).Succeeded()["access_token"];
            Assert.Equal(resource, TokenQueries.Claims(token)["aud"]!.GetValue<string>());
            // The API that asks is for the default audience.
            Assert.Equal(resource == Server.Issuer, await Server.IsActiveAsync(token));
        }
        Assert.Equal(Server.Issuer, TokenQueries.Claims((await TokenAsync(key, client["client_id"])).Succeeded()["access_token"])["aud"]!.GetValue<string>());
        (await TokenAsync(key, client["client_id"], "https://other.example/")).Refused(HttpStatusCode.BadRequest, "invalid_target", Orders);
        (await TokenAsync(key, client["client_id"], Orders, Stock)).Refused(HttpStatusCode.BadRequest, "invalid_target", "one");
    }

    [Fact]
    [Requirement("R8707-2-02")]
    public async Task A_token_for_an_API_is_refused_at_this_server()
    {
        var key = TestKey.Create();
        var client = (await Server.RegisterAsync(await InitialTokenAsync(Policy()), Metadata(key, Orders))).Succeeded(HttpStatusCode.Created);
        var token = (await TokenAsync(key, client["client_id"], Orders)).Succeeded()["access_token"];
        (await Server.AdminAsync(HttpMethod.Get, "clients", token)).Refused(HttpStatusCode.Unauthorized, "invalid_token");
        (await Server.RegisterAsync(token, Requests.Metadata(TestKey.Create()))).Refused(HttpStatusCode.Unauthorized, "invalid_token");
    }

    [Fact]
    [Requirement("R8707-2-01")]
    public async Task Registers_the_default_of_the_policy()
    {
        var client = (await Server.RegisterAsync(await InitialTokenAsync(Policy(Stock)), Requests.Metadata(TestKey.Create()))).Succeeded(HttpStatusCode.Created);
        Assert.Equal(Stock, client.Json["resources"]!.AsArray().Single()!.GetValue<string>());
    }

    [Theory]
    [Requirement("R8707-2-01")]
    [InlineData("https://other.example/", "registration_policy.resources")]
    [InlineData("https://orders.example/#part", "fragment")]
    [InlineData("orders", "absolute URI")]
    [InlineData("", "absolute URI")]
    public async Task Rejects_a_resource_that_may_not_be_registered(string resource, string names) =>
        (await Server.RegisterAsync(await InitialTokenAsync(Policy()), Metadata(TestKey.Create(), resource))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", names);

    [Fact]
    [Requirement("R8707-2-02")]
    public async Task Rejects_any_resource_under_a_policy_without() =>
        (await Server.RegisterAsync(await InitialTokenAsync(null), Metadata(TestKey.Create(), Orders))).Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "allows none");

    [Fact]
    [Requirement("R8707-2-01")]
    public async Task Rejects_a_policy_whose_resources_are_none()
    {
        var policy = new JsonObject { ["resources"] = new JsonObject { ["allowed"] = new JsonArray("x"), ["default"] = new JsonArray(Orders) } };
        var answer = await Server.AdminAsync(HttpMethod.Post, "onboarding-clients", await Server.AdminTokenAsync(), DcrServer.SeedClient($"o-{Guid.NewGuid():N}", "dcr", Server.OnboardingKey, policy));
        answer.Refused(HttpStatusCode.BadRequest, "invalid_client_metadata", "registration_policy.resources");
        Assert.Contains("resources.default", answer.Description, StringComparison.Ordinal);
    }
}

public sealed class ResourceIndicatorTestsOnSqlite(SqliteServer server) : ResourceIndicatorTests(server), IClassFixture<SqliteServer>;

public sealed class ResourceIndicatorTestsOnMongoDb(MongoDbServer server) : ResourceIndicatorTests(server), IClassFixture<MongoDbServer>;
