using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>
/// The life of a client driven by libraries that nobody here wrote: Duende.IdentityModel, and Microsoft.IdentityModel for
/// the assertions. Those from npm are in Dcr.InteropTests.
/// </summary>
public sealed class ForeignClientTests(SqliteServer server) : ServerTests(server), IClassFixture<SqliteServer>
{
    [Fact]
    [Requirement("P-INTEROP", "R7591-3.2.1-01", "R8414-3.2-01", "R7662-2.1-01", "R7009-2.1-03")]
    public async Task A_client_lives_its_life()
    {
        var discovery = await DiscoverAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var registration = await RegisterAsync(discovery, key);
        var clientId = registration.ClientId!;

        var token = await Server.Http.RequestClientCredentialsTokenAsync(TokenRequest(discovery, Assertion(discovery, key, clientId), "read"), Cancellation);
        Assert.False(token.IsError, token.Error);
        Assert.Equal("Bearer", token.TokenType);

        var seen = await IntrospectAsync(discovery, token.AccessToken!);
        Assert.True(seen.IsActive);
        Assert.Contains(seen.Claims, claim => claim.Type == "client_id" && claim.Value == clientId);

        var revocation = await Server.Http.RevokeTokenAsync(
            new TokenRevocationRequest
            {
                Address = discovery.RevocationEndpoint,
                ClientCredentialStyle = ClientCredentialStyle.PostBody,
                ClientAssertion = Proof(Assertion(discovery, key, clientId)),
                Token = token.AccessToken!,
            },
            Cancellation);
        Assert.False(revocation.IsError, revocation.Error);
        Assert.False((await IntrospectAsync(discovery, token.AccessToken!)).IsActive);

        await ManageAsync(registration);
        var late = await Server.Http.RequestClientCredentialsTokenAsync(TokenRequest(discovery, Assertion(discovery, key, clientId), "read"), Cancellation);
        // The library reads a refusal's body only where the status is 400; of any other it tells the status.
        Assert.Equal(HttpStatusCode.Unauthorized, late.HttpStatusCode);
    }

    /// <summary>RFC 7592, which the library has nothing for beyond a bearer token: read, replace, delete.</summary>
    private static async Task ManageAsync(DynamicClientRegistrationResponse registration)
    {
        using var http = new HttpClient();
        http.SetBearerToken(registration.RegistrationAccessToken!);
        var uri = new Uri(registration.RegistrationClientUri!);
        var metadata = (await http.GetFromJsonAsync<JsonObject>(uri, Cancellation))!;
        Assert.Equal("Foreign client", (string?)metadata["client_name"]);

        foreach (var member in new[] { "registration_access_token", "registration_client_uri", "client_id_issued_at" })
        {
            metadata.Remove(member);
        }
        metadata["client_name"] = "Renamed";
        using var replaced = await http.PutAsJsonAsync(uri, metadata, Cancellation);
        var answer = (await replaced.Content.ReadFromJsonAsync<JsonObject>(Cancellation))!;
        Assert.Equal("Renamed", (string?)answer["client_name"]);

        http.SetBearerToken((string)answer["registration_access_token"]!);
        using var deleted = await http.DeleteAsync(uri, Cancellation);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
    }

    private async Task<DiscoveryDocumentResponse> DiscoverAsync()
    {
        var discovery = await Server.Http.GetDiscoveryDocumentAsync(
            new DiscoveryDocumentRequest { Address = Server.Issuer, Policy = { RequireHttps = false } }, Cancellation);
        Assert.False(discovery.IsError, discovery.Error);
        return discovery;
    }

    private async Task<DynamicClientRegistrationResponse> RegisterAsync(DiscoveryDocumentResponse discovery, ECDsa key)
    {
        var initial = await Server.Http.RequestClientCredentialsTokenAsync(
            TokenRequest(discovery, Server.Assertion(Server.OnboardingKey, DcrServer.OnboardingClient).Sign(), "dcr"), Cancellation);
        Assert.False(initial.IsError, initial.Error);

        var jwk = JsonWebKeyConverter.ConvertFromECDsaSecurityKey(new ECDsaSecurityKey(ECDsa.Create(key.ExportParameters(false))));
        var document = new DynamicClientRegistrationDocument
        {
            ClientName = "Foreign client",
            TokenEndpointAuthenticationMethod = "private_key_jwt",
            Scope = "read",
            Jwks = new Duende.IdentityModel.Jwk.JsonWebKeySet($$"""{"keys":[{"kty":"EC","crv":"P-256","kid":"foreign-1","x":"{{jwk.X}}","y":"{{jwk.Y}}"}]}"""),
        };
        document.GrantTypes.Add("client_credentials");
        var registration = await Server.Http.RegisterClientAsync(
            new DynamicClientRegistrationRequest { Address = discovery.RegistrationEndpoint, Token = initial.AccessToken, Document = document }, Cancellation);
        Assert.False(registration.IsError, registration.Raw);
        Assert.NotNull(registration.ClientId);
        Assert.NotNull(registration.RegistrationAccessToken);
        Assert.Null(registration.ClientSecret);
        return registration;
    }

    private async Task<TokenIntrospectionResponse> IntrospectAsync(DiscoveryDocumentResponse discovery, string token)
    {
        var seen = await Server.Http.IntrospectTokenAsync(
            new TokenIntrospectionRequest
            {
                Address = discovery.IntrospectionEndpoint,
                ClientCredentialStyle = ClientCredentialStyle.PostBody,
                ClientAssertion = Proof(Server.Assertion(Server.ApiKey, DcrServer.Api).Sign()),
                Token = token,
            },
            Cancellation);
        Assert.False(seen.IsError, seen.Error);
        return seen;
    }

    private string Assertion(DiscoveryDocumentResponse discovery, ECDsa key, string clientId) => new JsonWebTokenHandler().CreateToken(new SecurityTokenDescriptor
    {
        Issuer = clientId,
        Audience = discovery.Issuer,
        Claims = new Dictionary<string, object> { ["sub"] = clientId, ["jti"] = Guid.NewGuid().ToString() },
        IssuedAt = Server.Time.GetUtcNow().UtcDateTime,
        NotBefore = Server.Time.GetUtcNow().UtcDateTime,
        Expires = Server.Time.GetUtcNow().AddMinutes(1).UtcDateTime,
        SigningCredentials = new SigningCredentials(new ECDsaSecurityKey(key) { KeyId = "foreign-1" }, "ES256"),
    });

    private static ClientAssertion Proof(string assertion) => new() { Type = OidcConstants.ClientAssertionTypes.JwtBearer, Value = assertion };

    private static ClientCredentialsTokenRequest TokenRequest(DiscoveryDocumentResponse discovery, string assertion, string scope) => new()
    {
        Address = discovery.TokenEndpoint,
        ClientCredentialStyle = ClientCredentialStyle.PostBody,
        ClientAssertion = Proof(assertion),
        Scope = scope,
    };
}
