using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Dcr.ClientTests.Support;

/// <summary>An authorization server of which a test writes the answers of the token endpoint.</summary>
public sealed class ScriptedServer : HttpMessageHandler
{
    public const string Issuer = "https://as.example";

    private int _tokens;

    /// <summary>Everything that was sent, oldest first; token requests by their form.</summary>
    public ConcurrentQueue<SentRequest> Sent { get; } = new();

    public ConcurrentQueue<Dictionary<string, string>> Forms { get; } = new();

    public JsonObject Metadata { get; } = new()
    {
        ["issuer"] = Issuer,
        ["token_endpoint"] = Issuer + "/token",
        ["registration_endpoint"] = Issuer + "/register",
    };

    /// <summary>Answers a token request. The default gives numbered tokens.</summary>
    public Func<SentRequest, HttpResponseMessage>? OnToken { get; set; }

    public TimeSpan Latency { get; set; }

    public int TokenRequests => Forms.Count;

    public HttpResponseMessage NewToken(string type = "Bearer", int expiresIn = 600) => Json(HttpStatusCode.OK, new JsonObject
    {
        ["access_token"] = $"token-{Interlocked.Increment(ref _tokens)}",
        ["token_type"] = type,
        ["expires_in"] = expiresIn,
        ["scope"] = "read",
    });

    public static HttpResponseMessage Refusal(HttpStatusCode status, string error, string? nonce = null)
    {
        var response = Json(status, new JsonObject { ["error"] = error, ["error_description"] = "As scripted." });
        if (nonce is not null)
        {
            response.Headers.Add("DPoP-Nonce", nonce);
        }
        return response;
    }

    public static HttpResponseMessage Json(HttpStatusCode status, JsonNode body) =>
        new(status) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var sent = SentRequest.Of(request);
        Sent.Enqueue(sent);
        await Task.Delay(Latency, cancellationToken);
        if (sent.Uri.AbsolutePath.StartsWith("/.well-known/", StringComparison.Ordinal))
        {
            return Json(HttpStatusCode.OK, Metadata.DeepClone());
        }
        var form = await request.Content!.ReadAsStringAsync(cancellationToken);
        Forms.Enqueue(form.Split('&').Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => Uri.UnescapeDataString(pair[1].Replace('+', ' '))));
        return OnToken is null ? NewToken() : OnToken(sent);
    }
}
