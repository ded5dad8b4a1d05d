using System.Text.Json.Nodes;
using Xunit;

namespace Dcr.ProtocolTests.Support;

/// <summary>Requests to servers that are processes of their own, by the real clock.</summary>
public static class ProcessRequests
{
    public static Task<Answer> TokenAsync(ServerProcess node, string issuer, TestKey key, string clientId, string scope) =>
        TokenAsync(node, new AssertionScenario(key, clientId, issuer, DateTimeOffset.UtcNow).Sign(), scope);

    public static Task<Answer> TokenAsync(ServerProcess node, string assertion, string scope) =>
        PostFormAsync(node, "oauth/token", Requests.TokenForm(assertion, scope));

    public static async Task<Answer> PostFormAsync(ServerProcess node, string path, IEnumerable<KeyValuePair<string, string>> parameters)
    {
        using var form = new FormUrlEncodedContent(parameters);
        return await Answer.ReadAsync(await node.Http.PostAsync(new Uri(path, UriKind.Relative), form, TestContext.Current.CancellationToken));
    }

    public static Task<Answer> GetAsync(ServerProcess node, string path) => SendAsync(node, HttpMethod.Get, path, null);

    public static async Task<Answer> SendAsync(ServerProcess node, HttpMethod method, string path, string? bearer, JsonObject? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        if (bearer is not null)
        {
            request.Headers.Authorization = new("Bearer", bearer);
        }
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
        }
        return await Answer.ReadAsync(await node.Http.SendAsync(request, TestContext.Current.CancellationToken));
    }
}
