using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Authorization server metadata: RFC 8414.</summary>
public sealed class DiscoveryTests(SqliteServer server) : ServerTests(server), IClassFixture<SqliteServer>
{
    [Theory]
    [Requirement("R8414-2-01", "R8414-2-02", "R8414-2-03", "R8414-2-04", "R8414-2-05", "R8414-2-06", "R8414-2-07", "R8414-3.2-01", "R8414-3.3-01", "R9700-2.6-01", "R9700-2.5-01", "R8414-2-08", "R8414-3.2-02", "R9449-5.1-01", "ABCA-8-01")]
    [InlineData("oauth-authorization-server")]
    [InlineData("openid-configuration")]
    public async Task Says_what_works_and_nothing_else(string document)
    {
        var answer = (await Server.GetAsync($"/.well-known/{document}")).Succeeded();
        Assert.Equal("application/json", answer.Response.Content.Headers.ContentType!.MediaType);
        static JsonArray Algorithms() => ["PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512"];
        var expected = new JsonObject
        {
            ["issuer"] = Server.Issuer,
            ["token_endpoint"] = Server.TokenEndpoint,
            ["registration_endpoint"] = Server.RegistrationEndpoint,
            ["jwks_uri"] = Server.Issuer + "/oauth/jwks",
            ["introspection_endpoint"] = Server.Issuer + "/oauth/introspect",
            ["introspection_endpoint_auth_methods_supported"] = new JsonArray("private_key_jwt"),
            ["introspection_endpoint_auth_signing_alg_values_supported"] = Algorithms(),
            ["introspection_signing_alg_values_supported"] = new JsonArray("ES256"),
            ["revocation_endpoint"] = Server.Issuer + "/oauth/revoke",
            ["revocation_endpoint_auth_methods_supported"] = new JsonArray("private_key_jwt"),
            ["revocation_endpoint_auth_signing_alg_values_supported"] = Algorithms(),
            ["scopes_supported"] = new JsonArray("dcr", "dcr.admin", "introspect"),
            ["response_types_supported"] = new JsonArray(),
            ["grant_types_supported"] = new JsonArray("client_credentials"),
            ["token_endpoint_auth_methods_supported"] = new JsonArray("private_key_jwt", "attest_jwt_client_auth", "attest_jwt_client_auth_dpop"),
            ["token_endpoint_auth_signing_alg_values_supported"] = Algorithms(),
            ["dpop_signing_alg_values_supported"] = Algorithms(),
            ["client_attestation_signing_alg_values_supported"] = Algorithms(),
            ["client_attestation_pop_signing_alg_values_supported"] = Algorithms(),
            // What OpenID Connect Discovery requires of every document.
            ["subject_types_supported"] = new JsonArray("public"),
            ["id_token_signing_alg_values_supported"] = new JsonArray("RS256"),
        };
        Assert.True(JsonNode.DeepEquals(expected, answer.Json), answer.Text);
    }

    [Fact]
    [Requirement("R8414-3.3-01", "R9700-4.13-01")]
    public async Task Never_follows_the_Host_header()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Server.Issuer + "/.well-known/oauth-authorization-server");
        request.Headers.Host = "attacker.example";
        request.Headers.Add("X-Forwarded-Host", "attacker.example");
        request.Headers.Add("X-Forwarded-Proto", "https");
        var answer = await Answer.ReadAsync(await Server.Http.SendAsync(request, Cancellation));
        Assert.Equal(Server.Issuer, answer.Succeeded()["issuer"]);
        Assert.DoesNotContain("attacker", answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    public async Task Is_healthy(string path) => Assert.Equal(HttpStatusCode.OK, (await Server.GetAsync(path)).Status);
}

/// <summary>An issuer with a path: every URL is under it, and the well-known path sits between host and path.</summary>
public sealed class IssuerWithPathTests
{
    [Fact]
    [Requirement("R8414-3-01", "R8414-3.3-01")]
    public async Task Has_everything_under_its_path()
    {
        await using var server = new SqliteServer();
        server.IssuerPath = "/tenants/one";
        await server.InitializeAsync();
        foreach (var path in new[] { "/.well-known/oauth-authorization-server/tenants/one", "/.well-known/openid-configuration/tenants/one", "/tenants/one/.well-known/openid-configuration" })
        {
            Assert.Equal(server.Issuer, (await server.GetAsync(path)).Succeeded()["issuer"]);
        }
        (await server.GetAsync("/.well-known/oauth-authorization-server")).Refused(HttpStatusCode.NotFound, "not_found");
        var client = await server.OnboardAsync();
        Assert.StartsWith(server.Issuer + "/oauth/register/", client.RegistrationClientUri, StringComparison.Ordinal);
        (await server.GetAsync(client.Path, client.RegistrationAccessToken)).Succeeded();
        await server.AdminTokenAsync();
    }
}
