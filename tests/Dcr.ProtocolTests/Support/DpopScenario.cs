using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Dcr.ProtocolTests.Support;

/// <summary>Valid DPoP proofs (RFC 9449 section 4.2), and requests that carry them.</summary>
public static class DpopScenario
{
    public const string Header = "DPoP";

    /// <param name="server">By whose clock.</param>
    /// <param name="key">The key that is proved.</param>
    /// <param name="method">For <c>htm</c>.</param>
    /// <param name="url">For <c>htu</c>.</param>
    /// <param name="accessToken">For <c>ath</c>.</param>
    public static JwtScenario Proof(this DcrServer server, TestKey key, HttpMethod method, string url, string? accessToken = null) =>
        Proof(key, method.Method, url, server.Time.GetUtcNow(), accessToken);

    public static JwtScenario Proof(TestKey key, string method, string url, DateTimeOffset now, string? accessToken = null)
    {
        var jwk = key.PublicJwk();
        jwk.Remove("kid");
        jwk.Remove("use");
        var claims = new JsonObject
        {
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["htm"] = method,
            ["htu"] = url,
            ["iat"] = now.ToUnixTimeSeconds(),
        };
        if (accessToken is not null)
        {
            claims["ath"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(accessToken)));
        }
        return new JwtScenario(key, new JsonObject { ["typ"] = "dpop+jwt", ["alg"] = key.Alg, ["jwk"] = jwk }, claims);
    }

    public static JwtScenario TokenProof(this DcrServer server, TestKey key) => server.Proof(key, HttpMethod.Post, server.TokenEndpoint);

    public static JwtScenario RegistrationProof(this DcrServer server, TestKey key, string? accessToken = null) =>
        server.Proof(key, HttpMethod.Post, server.RegistrationEndpoint, accessToken);

    /// <summary>A token request with headers beside its form.</summary>
    public static Task<Answer> PostTokenAsync(this DcrServer server, Dictionary<string, string> form, params (string Name, string Value)[] headers) =>
        server.SendAsync(HttpMethod.Post, server.Path("/oauth/token"), null, new FormUrlEncodedContent(form), headers);

    /// <summary>A token request of an onboarding client with the usual key, for the scope dcr.</summary>
    public static Task<Answer> PostInitialTokenAsync(this DcrServer server, string clientId, params string[] proofs) => server.PostTokenAsync(
        Requests.TokenForm(server.Assertion(server.OnboardingKey, clientId).Sign(), "dcr"), [.. proofs.Select(proof => (Header, proof))]);

    /// <summary>An initial access token that is bound to a key.</summary>
    public static async Task<string> BoundTokenAsync(this DcrServer server, TestKey key, string clientId = DcrServer.OnboardingClient) =>
        (await server.PostInitialTokenAsync(clientId, server.TokenProof(key).Sign())).Succeeded()["access_token"];

    /// <summary>A registration with any Authorization header and DPoP headers.</summary>
    public static Task<Answer> RegisterWithAsync(this DcrServer server, string authorization, JsonObject metadata, params string[] proofs) =>
        server.SendAsync(HttpMethod.Post, server.Path("/oauth/register"), authorization, Json(metadata), [.. proofs.Select(proof => (Header, proof))]);

    /// <summary>A registration with a token that is bound to a key, and a proof by it.</summary>
    public static Task<Answer> RegisterBoundAsync(this DcrServer server, TestKey key, string token, JsonObject metadata) =>
        server.RegisterWithAsync($"DPoP {token}", metadata, server.RegistrationProof(key, token).Sign());

    public static StringContent Json(JsonObject body) => new(body.ToJsonString(), Encoding.UTF8, "application/json");

    public static async Task<Answer> SendAsync(
        this DcrServer server, HttpMethod method, string path, string? authorization, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new Uri(server.Http.BaseAddress!, path)) { Content = content };
        if (authorization is not null)
        {
            request.Headers.Authorization = AuthenticationHeaderValue.Parse(authorization);
        }
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }
        return await Answer.ReadAsync(await server.Http.SendAsync(request, TestContext.Current.CancellationToken), server.Log);
    }
}
