using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Dcr.ProtocolTests.Support;

/// <summary>The requests of the protocol, valid unless a test changes something.</summary>
public static class Requests
{
    public const string JwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

    public static AssertionScenario Assertion(this DcrServer server, TestKey key, string clientId) =>
        new(key, clientId, server.Issuer, server.Time.GetUtcNow());

    /// <summary>The form of a token request.</summary>
    public static Dictionary<string, string> TokenForm(string assertion, string? scope = null)
    {
        var form = new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_assertion_type"] = JwtBearer,
            ["client_assertion"] = assertion,
        };
        if (scope is not null)
        {
            form["scope"] = scope;
        }
        return form;
    }

    public static async Task<Answer> PostTokenAsync(this DcrServer server, IEnumerable<KeyValuePair<string, string>> form)
    {
        using var content = new FormUrlEncodedContent(form);
        return await Answer.ReadAsync(await server.Http.PostAsync(new Uri(server.TokenPath(), UriKind.Relative), content, TestContext.Current.CancellationToken), server.Log);
    }

    public static Task<Answer> PostTokenAsync(this DcrServer server, string assertion, string? scope = null) =>
        server.PostTokenAsync(TokenForm(assertion, scope));

    public static async Task<string> AccessTokenAsync(this DcrServer server, TestKey key, string clientId, string? scope = null) =>
        (await server.PostTokenAsync(server.Assertion(key, clientId).Sign(), scope)).Succeeded()["access_token"];

    public static Task<string> InitialAccessTokenAsync(this DcrServer server, string onboardingClient = DcrServer.OnboardingClient) =>
        server.AccessTokenAsync(server.OnboardingKey, onboardingClient, "dcr");

    public static Task<string> AdminTokenAsync(this DcrServer server) => server.AccessTokenAsync(server.AdminKey, DcrServer.Admin, "dcr.admin");

    /// <summary>Valid metadata for a client with this key.</summary>
    public static JsonObject Metadata(TestKey key) => new()
    {
        ["client_name"] = "Test client",
        ["token_endpoint_auth_method"] = "private_key_jwt",
        ["grant_types"] = new JsonArray("client_credentials"),
        ["scope"] = "read",
        ["jwks"] = TestKey.Jwks(key),
    };

    public static Task<Answer> RegisterAsync(this DcrServer server, string? initialAccessToken, JsonObject metadata) =>
        server.SendAsync(HttpMethod.Post, server.Path("/oauth/register"), initialAccessToken, metadata);

    /// <summary>Sends many at once; whoever is told that the server cannot answer just now comes again, as Retry-After asks.</summary>
    public static Task<Answer[]> SendAtOnceAsync(int count, Func<int, Task<Answer>> send) => Task.WhenAll(Enumerable.Range(0, count).Select(async i =>
    {
        for (var attempt = 1; ; attempt++)
        {
            var answer = await send(i);
            if (answer.Status != System.Net.HttpStatusCode.ServiceUnavailable || attempt == 5)
            {
                return answer;
            }
        }
    }));

    /// <summary>Takes a new client through the whole of onboarding.</summary>
    public static async Task<OnboardedClient> OnboardAsync(this DcrServer server, TestKey? key = null, Action<JsonObject>? change = null)
    {
        key ??= TestKey.Create();
        var metadata = Metadata(key);
        change?.Invoke(metadata);
        return OnboardedClient.Of((await server.RegisterAsync(await server.InitialAccessTokenAsync(), metadata)).Succeeded(System.Net.HttpStatusCode.Created), key);
    }

    public static Task<Answer> SendAsync(this DcrServer server, HttpMethod method, string path, string? bearer, JsonObject? body = null, string? ifMatch = null) =>
        server.SendAsync(method, path, bearer, body is null ? null : new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"), ifMatch);

    public static async Task<Answer> SendAsync(this DcrServer server, HttpMethod method, string path, string? bearer, HttpContent? content, string? ifMatch = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(server.Http.BaseAddress!, path)) { Content = content };
        if (bearer is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        }
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }
        return await Answer.ReadAsync(await server.Http.SendAsync(request, TestContext.Current.CancellationToken), server.Log);
    }

    public static Task<Answer> GetAsync(this DcrServer server, string path, string? bearer = null) =>
        server.SendAsync(HttpMethod.Get, path, bearer, (HttpContent?)null);

    public static Task<Answer> AdminAsync(this DcrServer server, HttpMethod method, string path, string adminToken, JsonObject? body = null) =>
        server.SendAsync(method, server.Path("/admin/v1/" + path), adminToken, body);

    /// <summary>Below the path of the issuer, where it has one.</summary>
    public static string Path(this DcrServer server, string path) => new Uri(server.Issuer).AbsolutePath.TrimEnd('/') + path;

    private static string TokenPath(this DcrServer server) => server.Path("/oauth/token");
}

/// <summary>A client that has registered, and everything it knows.</summary>
public sealed record OnboardedClient(string ClientId, string RegistrationAccessToken, string RegistrationClientUri, TestKey Key, JsonObject Information)
{
    public string Path => new Uri(RegistrationClientUri).AbsolutePath;

    public static OnboardedClient Of(Answer registered, TestKey key) => new(
        registered["client_id"], registered["registration_access_token"], registered["registration_client_uri"], key, registered.Json);
}
