using System.Text.Json.Nodes;
using Xunit;

namespace Dcr.ProtocolTests.Support;

/// <summary>Introspection and revocation requests, valid unless a test changes something.</summary>
public static class TokenQueries
{
    public static Dictionary<string, string> TokenQuery(this DcrServer server, string? token, TestKey key, string clientId)
    {
        var form = new Dictionary<string, string>
        {
            ["client_assertion_type"] = Requests.JwtBearer,
            ["client_assertion"] = server.Assertion(key, clientId).Sign(),
        };
        if (token is not null)
        {
            form["token"] = token;
        }
        return form;
    }

    public static Task<Answer> IntrospectAsync(this DcrServer server, string token) =>
        server.PostFormAsync("/oauth/introspect", server.TokenQuery(token, server.ApiKey, DcrServer.Api));

    public static async Task<bool> IsActiveAsync(this DcrServer server, string token)
    {
        var answer = (await server.IntrospectAsync(token)).Succeeded();
        var active = answer.Json["active"]!.GetValue<bool>();
        Assert.True(active || answer.Json.Count == 1, "an inactive token has nothing but active");
        return active;
    }

    public static Task<Answer> RevokeAsync(this DcrServer server, string token, TestKey key, string clientId) =>
        server.PostFormAsync("/oauth/revoke", server.TokenQuery(token, key, clientId));

    public static async Task<Answer> PostFormAsync(this DcrServer server, string path, IEnumerable<KeyValuePair<string, string>> form, string? accept = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Path(path), UriKind.Relative)) { Content = new FormUrlEncodedContent(form) };
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }
        return await Answer.ReadAsync(await server.Http.SendAsync(request, TestContext.Current.CancellationToken), server.Log);
    }

    /// <summary>The claims of a JWT, not verified.</summary>
    public static JsonObject Claims(string jwt) => JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(jwt.Split('.')[1]))!.AsObject();

    public static JsonObject Header(string jwt) => JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(jwt.Split('.')[0]))!.AsObject();
}
