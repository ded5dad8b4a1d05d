using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Dcr.Client;
using Xunit;

namespace Dcr.CliTests.Support;

/// <summary>What an administrator looks at and does for a test, by other means than the command.</summary>
public sealed class AdminRequests(HttpClient http, string issuer, string keyFile)
{
    /// <summary>How many clients that came by this onboarding client have the status.</summary>
    public async Task<int> CountAsync(string onboardingClient, string status) =>
        (await SendAsync(HttpMethod.Get, $"clients?onboarding_client={onboardingClient}&status={status}&limit=100"))["items"]!.AsArray().Count;

    /// <summary>The ids of the onboarding clients that begin with this.</summary>
    public async Task<IReadOnlyList<string>> OnboardingClientsAsync(string prefix) =>
        [.. (await SendAsync(HttpMethod.Get, "onboarding-clients?limit=100"))["items"]!.AsArray().Select(item => (string)item!["client_id"]!).Where(id => id.StartsWith(prefix, StringComparison.Ordinal))];

    /// <summary>A request that must succeed.</summary>
    /// <param name="method">GET, POST, ...</param>
    /// <param name="path">Below <c>/admin/v1/</c>.</param>
    /// <param name="body">Null: none.</param>
    public async Task<JsonObject> SendAsync(HttpMethod method, string path, JsonNode? body = null)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var key = ClientKey.FromJwk(await File.ReadAllTextAsync(keyFile, cancellationToken));
        var token = await new DcrClient(http, issuer).AccessTokensFor(new ClientCredentials("admin", key)).GetAsync("dcr.admin", cancellationToken: cancellationToken);
        using var request = new HttpRequestMessage(method, $"{issuer}/admin/v1/{path}") { Content = body is null ? null : JsonContent.Create(body), Headers = { Authorization = new(token.TokenType, token.Value) } };
        using var response = await http.SendAsync(request, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        return text.Length > 0 ? JsonNode.Parse(text)!.AsObject() : [];
    }
}
