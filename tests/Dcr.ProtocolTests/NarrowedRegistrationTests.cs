using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>A policy with <c>narrow</c>: what is unsupported or forbidden is dropped, and the answer says what was registered.</summary>
public abstract class NarrowedRegistrationTests(DcrServer server) : ServerTests(server)
{
    private Task<OnboardingParty> PartyAsync(bool? narrow = true)
    {
        var policy = new JsonObject
        {
            ["scope"] = new JsonObject { ["allowed"] = List("read", "write") },
            ["grant_types"] = new JsonObject { ["allowed"] = List("client_credentials", "authorization_code") },
            ["redirect_uri_hosts"] = List("app.example"),
            ["resources"] = new JsonObject { ["allowed"] = List("https://api.example") },
        };
        if (narrow is { } value)
        {
            policy["narrow"] = value;
        }
        return Server.OnboardingClientAsync(policy);
    }

    private static JsonArray List(params string[] entries) => [.. entries.Select(entry => (JsonNode)entry)];

    private static JsonObject Wide()
    {
        var metadata = Requests.Metadata(TestKey.Create());
        metadata["grant_types"] = List("client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange", "implicit", "authorization_code", "refresh_token");
        metadata["response_types"] = List("code", "token", "id_token");
        metadata["redirect_uris"] = List("https://app.example/cb", "https://elsewhere.example/cb", "http://app.example/cb");
        metadata["scope"] = "openid read profile";
        metadata["resources"] = List("https://api.example", "https://other.example");
        metadata["contacts"] = List("a@app.example", " ");
        return metadata;
    }

    [Fact]
    [Requirement("R7591-2-07", "P-NARROW")]
    public async Task Registers_what_remains_and_says_so()
    {
        var registered = (await Server.RegisterAsync(await PartyAsync(), Wide())).Succeeded(HttpStatusCode.Created);
        void Has(string member, JsonNode expected) => Assert.True(JsonNode.DeepEquals(expected, registered.Json[member]), $"{member}: {registered.Json[member]?.ToJsonString()}");
        Has("grant_types", List("client_credentials", "authorization_code"));
        Has("response_types", List("code"));
        Has("redirect_uris", List("https://app.example/cb"));
        Has("scope", "read");
        Has("resources", List("https://api.example"));
        Has("contacts", List("a@app.example"));
        var read = (await Server.GetAsync(new Uri(registered["registration_client_uri"]).AbsolutePath, registered["registration_access_token"])).Succeeded();
        Assert.Equal("read", read["scope"]);
    }

    [Fact]
    [Requirement("R7591-2.1-01", "P-NARROW")]
    public async Task Drops_what_was_meant_for_a_grant_type_that_is_dropped()
    {
        var party = await Server.OnboardingClientAsync("""{"narrow":true,"grant_types":{"allowed":["client_credentials"]}}""");
        var metadata = Requests.Metadata(TestKey.Create());
        metadata["grant_types"] = List("authorization_code", "refresh_token", "client_credentials");
        metadata["response_types"] = List("code");
        metadata["redirect_uris"] = List("https://app.example/cb");
        var registered = (await Server.RegisterAsync(party, metadata)).Succeeded(HttpStatusCode.Created);
        Assert.Equal("""["client_credentials"]""", registered.Json["grant_types"]!.ToJsonString());
        Assert.Equal("[]", registered.Json["response_types"]!.ToJsonString());
    }

    [Fact]
    [Requirement("P-NARROW", "P-CEILING")]
    public async Task Narrows_an_update_as_well_and_gives_no_more_than_before()
    {
        var client = await Server.OnboardAsync(await PartyAsync());
        var update = Requests.Metadata(client.Key);
        update["client_id"] = client.ClientId;
        update["scope"] = "read dcr.admin introspect";
        Assert.Equal("read", (await Server.SendAsync(HttpMethod.Put, client.Path, client.RegistrationAccessToken, update)).Succeeded()["scope"]);
    }

    [Theory]
    [Requirement("P-NARROW")]
    [InlineData("grant_types", """["implicit","password"]""", "invalid_client_metadata")]
    [InlineData("response_types", """["token"]""", "invalid_client_metadata")]
    [InlineData("redirect_uris", """["https://elsewhere.example/cb"]""", "invalid_redirect_uri")]
    [InlineData("scope", "\"openid profile\"", "invalid_client_metadata")]
    [InlineData("resources", """["https://other.example"]""", "invalid_client_metadata")]
    [InlineData("token_endpoint_auth_method", "\"client_secret_basic\"", "invalid_client_metadata")]
    public async Task Refuses_where_nothing_remains(string member, string json, string error)
    {
        var metadata = Requests.Metadata(TestKey.Create());
        metadata[member] = JsonNode.Parse(json);
        (await Server.RegisterAsync(await PartyAsync(), metadata)).Refused(HttpStatusCode.BadRequest, error, member);
    }

    [Theory]
    [Requirement("P-NARROW", "P-POLICY")]
    [InlineData(null)]
    [InlineData(false)]
    public async Task Refuses_all_of_it_unless_the_policy_says_so(bool? narrow)
    {
        foreach (var member in new[] { "grant_types", "redirect_uris", "scope", "resources" })
        {
            var metadata = Requests.Metadata(TestKey.Create());
            metadata[member] = Wide()[member]!.DeepClone();
            var refused = await Server.RegisterAsync(await PartyAsync(narrow), metadata);
            Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
            Assert.Contains(member, refused.Description, StringComparison.Ordinal);
        }
    }
}

public sealed class NarrowedRegistrationTestsOnSqlite(SqliteServer server) : NarrowedRegistrationTests(server), IClassFixture<SqliteServer>;

public sealed class NarrowedRegistrationTestsOnMongoDb(MongoDbServer server) : NarrowedRegistrationTests(server), IClassFixture<MongoDbServer>;
