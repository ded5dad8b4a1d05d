using System.Security.Cryptography;
using Dcr.ProtocolTests.Support;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The main flow driven by client libraries that nobody here wrote: Duende.IdentityModel and Microsoft.IdentityModel.</summary>
public sealed class ForeignClientTests(SqliteServer server) : ServerTests(server), IClassFixture<SqliteServer>
{
    [Fact]
    [Requirement("P-INTEROP", "R7591-3.2.1-01", "R8414-3.2-01")]
    public async Task Discovers_gets_a_token_registers_and_uses_the_new_client()
    {
        var discovery = await Server.Http.GetDiscoveryDocumentAsync(
            new DiscoveryDocumentRequest { Address = Server.Issuer, Policy = { RequireHttps = false } }, Cancellation);
        Assert.False(discovery.IsError, discovery.Error);

        var initial = await Server.Http.RequestClientCredentialsTokenAsync(
            TokenRequest(discovery, Assertion(Server.OnboardingKey, DcrServer.OnboardingClient), "dcr"), Cancellation);
        Assert.False(initial.IsError, initial.Error);

        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var signing = new ECDsaSecurityKey(ecdsa) { KeyId = "foreign-1" };
        var publicJwk = JsonWebKeyConverter.ConvertFromECDsaSecurityKey(new ECDsaSecurityKey(ECDsa.Create(ecdsa.ExportParameters(false))) { KeyId = "foreign-1" });
        var document = new DynamicClientRegistrationDocument
        {
            ClientName = "Foreign client",
            TokenEndpointAuthenticationMethod = "private_key_jwt",
            Scope = "read",
            Jwks = new Duende.IdentityModel.Jwk.JsonWebKeySet($$"""{"keys":[{"kty":"EC","crv":"P-256","kid":"foreign-1","x":"{{publicJwk.X}}","y":"{{publicJwk.Y}}"}]}"""),
        };
        document.GrantTypes.Add("client_credentials");
        var registration = await Server.Http.RegisterClientAsync(
            new DynamicClientRegistrationRequest { Address = discovery.RegistrationEndpoint, Token = initial.AccessToken, Document = document }, Cancellation);
        Assert.False(registration.IsError, registration.Raw);
        Assert.NotNull(registration.ClientId);
        Assert.NotNull(registration.RegistrationAccessToken);
        Assert.Null(registration.ClientSecret);

        var assertion = new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
        {
            Issuer = registration.ClientId,
            Audience = discovery.Issuer,
            Claims = new Dictionary<string, object> { ["sub"] = registration.ClientId!, ["jti"] = Guid.NewGuid().ToString() },
            IssuedAt = Server.Time.GetUtcNow().UtcDateTime,
            NotBefore = Server.Time.GetUtcNow().UtcDateTime,
            Expires = Server.Time.GetUtcNow().AddMinutes(1).UtcDateTime,
            SigningCredentials = new SigningCredentials(signing, "ES256"),
        });
        var token = await Server.Http.RequestClientCredentialsTokenAsync(TokenRequest(discovery, assertion, "read"), Cancellation);
        Assert.False(token.IsError, token.Error);
        Assert.Equal("Bearer", token.TokenType);
    }

    private string Assertion(TestKey key, string clientId) => Server.Assertion(key, clientId).Sign();

    private static ClientCredentialsTokenRequest TokenRequest(DiscoveryDocumentResponse discovery, string assertion, string scope) => new()
    {
        Address = discovery.TokenEndpoint,
        ClientCredentialStyle = ClientCredentialStyle.PostBody,
        ClientAssertion = new ClientAssertion { Type = OidcConstants.ClientAssertionTypes.JwtBearer, Value = assertion },
        Scope = scope,
    };
}
