using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;

namespace Dcr.Benchmarks;

/// <param name="PerSecond">By the clock: also what the neighbours on the machine do shows in it.</param>
/// <param name="Microseconds">Of the server's core for one request: steadier, and what the rate comes down to.</param>
internal readonly record struct Rate(double PerSecond, double Microseconds);

/// <summary>Requests made ready beforehand, so that the load costs little while it is measured.</summary>
internal static class Load
{
    private const int Connections = 32;

    public static List<HttpRequestMessage> TokenRequests(TestKey key, string clientId, string scope, string issuer, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Post("oauth/token", Form(key, clientId, scope, issuer), "application/x-www-form-urlencoded", null))];

    public static async Task<List<HttpRequestMessage>> RegistrationsAsync(PinnedProcess server, TestKey onboarding, int count)
    {
        using var request = Post("oauth/token", Form(onboarding, "bench", "dcr", server.Address), "application/x-www-form-urlencoded", null);
        using var response = await server.Http.SendAsync(request);
        var token = JsonNode.Parse(await response.Content.ReadAsStringAsync())!["access_token"]!.GetValue<string>();
        var metadata = new JsonObject
        {
            ["client_name"] = "Bench",
            ["token_endpoint_auth_method"] = "private_key_jwt",
            ["grant_types"] = new JsonArray("client_credentials"),
            ["jwks"] = TestKey.Jwks(TestKey.Create()),
        }.ToJsonString();
        return [.. Enumerable.Range(0, count).Select(_ => Post("oauth/register", metadata, "application/json", token))];
    }

    /// <summary>Every answer must be a success.</summary>
    public static async Task<Rate> RunAsync(PinnedProcess server, List<HttpRequestMessage> requests)
    {
        var next = -1;
        var processor = server.ProcessorTime;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(async _ =>
        {
            while (Interlocked.Increment(ref next) is var i && i < requests.Count)
            {
                using var response = await server.Http.SendAsync(requests[i]);
                if (!response.IsSuccessStatusCode)
                {
                    throw new InvalidOperationException($"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
                }
                await response.Content.CopyToAsync(Stream.Null);
            }
        }));
        return new Rate(requests.Count / clock.Elapsed.TotalSeconds, (server.ProcessorTime - processor).TotalMicroseconds / requests.Count);
    }

    private static string Form(TestKey key, string clientId, string scope, string issuer) =>
        "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        + $"&scope={scope}&client_assertion={new AssertionScenario(key, clientId, issuer, DateTimeOffset.UtcNow.AddMinutes(2)).Without("iat").Sign()}";

    private static HttpRequestMessage Post(string path, string body, string type, string? bearer)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative)) { Content = new StringContent(body, Encoding.UTF8, type) };
        if (bearer is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        }
        return request;
    }
}
