using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;

namespace Dcr.Cli;

/// <summary>
/// Shows each request on one line: who, what, the answer, and the two or three members that it is about. No secret is among them.
/// </summary>
/// <param name="inner">Where the requests go.</param>
/// <param name="show">Who sends is known to whoever shows it.</param>
internal sealed class BriefRequests(HttpMessageHandler inner, Action<BriefRequest> show) : DelegatingHandler(inner)
{
    private const int LongestSegment = 16;
    private const int ShownOfSegment = 8;

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    // Of the request, and of the answer.
    private static readonly string[] s_sent = ["scope", "jwks_uri", "jwks"];
    private static readonly string[] s_answered = ["error", "token_type", "state", "client_id", "issuer", "items"];

    private static readonly string[] s_stopped = ["status"];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var sent = request.Content is null ? [] : Read(await request.Content.ReadAsStringAsync(cancellationToken));
        var response = await base.SendAsync(request, cancellationToken);
        await response.Content.LoadIntoBufferAsync(cancellationToken);
        var answered = Read(await response.Content.ReadAsStringAsync(cancellationToken));
        show(new BriefRequest(
            request.Method.Method,
            PathOf(request.RequestUri!),
            ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture),
            string.Join(
                ' ',
                (string[])
                [
                    .. Proof(request, sent),
                    .. Members(sent, s_sent),
                    "->",
                    .. Members(answered, IsStop(answered) ? s_stopped : s_answered).Take(1),
                ])));
        return response;
    }

    /// <summary>A path as it is shown: what makes it long is an id that stands elsewhere whole.</summary>
    public static string PathOf(Uri uri) =>
        string.Join(
            '/',
            uri.AbsolutePath.Split('/').Select(
                segment =>
                    segment.Length > LongestSegment && !segment.Contains('-', StringComparison.Ordinal)
                        ? segment[..ShownOfSegment] + "..."
                        : segment));

    // Of a client that is active its id is what matters.
    private static bool IsStop(JsonObject answered) => Facts.TextOf(answered["status"]) is not ("" or "active");

    private static IEnumerable<string> Proof(HttpRequestMessage request, JsonObject sent)
    {
        if (sent.ContainsKey("client_assertion"))
        {
            yield return "assertion";
        }
        if (request.Headers.Contains("OAuth-Client-Attestation"))
        {
            yield return "attestation";
        }
        if (request.Headers.Contains("DPoP"))
        {
            yield return "DPoP";
        }
    }

    private static IEnumerable<string> Members(JsonObject json, string[] names)
    {
        foreach (var name in names)
        {
            if (json[name] is { } value)
            {
                yield return value is JsonArray array
                    ? $"{array.Count} {name}"
                    : $"{name}={Excerpt.Of(name == "jwks" ? Kids(value) : Facts.TextOf(value))}";
            }
        }
    }

    private static string Kids(JsonNode jwks) =>
        string.Join(',', (jwks["keys"] as JsonArray ?? []).Select(key => Shortened(Facts.TextOf(key?["kid"]))));

    private static string Shortened(string text) => text.Length > LongestSegment ? text[..ShownOfSegment] + "..." : text;

    private static JsonObject Read(string body)
    {
        if (body.Length > 0 && body[0] is not '{')
        {
            var form = HttpUtility.ParseQueryString(body);
            return new JsonObject(form.AllKeys.OfType<string>().Select(name => KeyValuePair.Create(name, (JsonNode?)form[name])));
        }
        try
        {
            return body.Length == 0 ? [] : JsonNode.Parse(body, documentOptions: s_strict)!.AsObject();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return [];
        }
    }
}

/// <param name="Method">GET, POST, ...</param>
/// <param name="Path">At the server.</param>
/// <param name="Status">Of the answer.</param>
/// <param name="Members">What it is about.</param>
internal sealed record BriefRequest(string Method, string Path, string Status, string Members);
