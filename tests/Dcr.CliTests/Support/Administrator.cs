using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Dcr.Client;
using Xunit;

namespace Dcr.CliTests.Support;

/// <summary>An administrator who looks at a server for a test, not by the command.</summary>
public sealed class Administrator(HttpClient http, string issuer, string keyFile)
{
    /// <summary>How many clients that came by this onboarding client have the status.</summary>
    public async Task<int> CountAsync(string onboardingClient, string status) =>
        (await GetAsync($"clients?onboarding_client={onboardingClient}&status={status}&limit=100"))!["items"]!.AsArray().Count;

    /// <summary>The ids of the onboarding clients that begin with this.</summary>
    public async Task<IReadOnlyList<string>> OnboardingClientsAsync(string prefix) =>
        [.. (await GetAsync("onboarding-clients?limit=100"))!["items"]!.AsArray().Select(item => (string)item!["client_id"]!).Where(id => id.StartsWith(prefix, StringComparison.Ordinal))];

    private async Task<JsonNode?> GetAsync(string path)
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        using var key = ClientKey.FromJwk(await File.ReadAllTextAsync(keyFile, cancellationToken));
        var token = await new DcrClient(http, issuer).AccessTokensFor(new ClientCredentials("admin", key)).GetAsync("dcr.admin", cancellationToken: cancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{issuer}/admin/v1/{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue(token.TokenType, token.Value);
        using var response = await http.SendAsync(request, cancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
    }
}
