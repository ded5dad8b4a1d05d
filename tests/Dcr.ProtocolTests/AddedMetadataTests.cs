using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.Options;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>Members that the operator adds to the metadata for an authorization endpoint beside this server: <c>Dcr:Metadata</c>.</summary>
public sealed class AddedMetadataTests
{
    [Theory]
    [Requirement("P-METADATA", "R8414-2-07")]
    [InlineData("oauth-authorization-server")]
    [InlineData("openid-configuration")]
    public async Task Are_in_both_documents(string document)
    {
        await using var server = new SqliteServer();
        server.Settings["Dcr:Metadata:AuthorizationEndpoint"] = "https://login.example/authorize";
        server.Settings["Dcr:Metadata:ResponseTypesSupported:0"] = "code";
        server.Settings["Dcr:Metadata:ResponseTypesSupported:1"] = "code id_token";
        server.Settings["Dcr:Metadata:GrantTypesSupported:0"] = "authorization_code";
        server.Settings["Dcr:Metadata:CodeChallengeMethodsSupported"] = "S256";
        server.Settings["Dcr:Metadata:authorization_response_iss_parameter_supported"] = "true";
        server.Settings["Dcr:Metadata:userinfo_endpoint"] = "https://login.example/userinfo";
        server.Settings["Dcr:Metadata:IdTokenSigningAlgValuesSupported:0"] = "ES256";
        server.Settings["Dcr:Metadata:service_documentation"] = "https://login.example/docs";
        server.Settings["Dcr:Metadata:mtls_endpoint_aliases:token_endpoint"] = "https://mtls.example/token";
        await server.InitializeAsync();
        var metadata = (await server.GetAsync($"/.well-known/{document}")).Succeeded().Json;

        void Has(string member, JsonNode expected) => Assert.True(JsonNode.DeepEquals(expected, metadata[member]), $"{member}: {metadata[member]?.ToJsonString()}");
        Has("authorization_endpoint", "https://login.example/authorize");
        Has("response_types_supported", new JsonArray("code", "code id_token"));
        Has("grant_types_supported", new JsonArray("client_credentials", "authorization_code"));
        Has("code_challenge_methods_supported", new JsonArray("S256"));
        Has("authorization_response_iss_parameter_supported", true);
        Has("userinfo_endpoint", "https://login.example/userinfo");
        Has("subject_types_supported", new JsonArray("public"));
        Has("id_token_signing_alg_values_supported", new JsonArray("ES256"));
        Has("service_documentation", "https://login.example/docs");
        Has("mtls_endpoint_aliases", new JsonObject { ["token_endpoint"] = "https://mtls.example/token" });
        Has("issuer", server.Issuer);
    }

    [Theory]
    [Requirement("P-METADATA", "P-OPTIONS")]
    [InlineData("Issuer", "https://other.example", "issuer")]
    [InlineData("token_endpoint", "https://other.example/token", "token_endpoint")]
    [InlineData("AuthorizationEndpoint", "http://login.example/authorize", "authorization_endpoint")]
    [InlineData("AuthorizationEndpoint", "nonsense", "authorization_endpoint")]
    [InlineData("ResponseTypesSupported:x", "code", "response_types_supported")]
    public async Task Stop_the_start_when_they_cannot_be(string name, string value, string named)
    {
        await using var server = new SqliteServer();
        server.Settings[$"Dcr:Metadata:{name}"] = value;
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(async () => await server.InitializeAsync());
        Assert.Contains($"Dcr:Metadata: {named}", fault.Message, StringComparison.Ordinal);
    }
}
