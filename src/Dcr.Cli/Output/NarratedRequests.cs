using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Web;
using Spectre.Console;

namespace Dcr.Cli;

/// <summary>Shows each request and its answer while they pass, with every secret left out.</summary>
/// <param name="console">Where.</param>
/// <param name="inner">Where the requests go.</param>
/// <param name="longestBody">How many characters of a body are shown.</param>
internal sealed class NarratedRequests(IAnsiConsole console, HttpMessageHandler inner, int longestBody = int.MaxValue)
    : DelegatingHandler(inner)
{
    private const int LongestValue = 100;

    private static readonly HashSet<string> s_secrets = new(StringComparer.Ordinal)
    {
        "access_token",
        "registration_access_token",
        "client_secret",
    };

    // JWTs that prove something: what they say is shown, their signature is not.
    private static readonly HashSet<string> s_proofs = new(StringComparer.Ordinal) { "client_assertion", "proof", "software_statement" };

    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : Describe(await request.Content.ReadAsStringAsync(cancellationToken));
        var target = Printable.Of(request.RequestUri!.ToString()) + Headers(request);
        console.MarkupLineInterpolated($"  [blue]>[/] [bold]{request.Method.Method}[/] {target} [grey]{Printable.Of(body)}[/]");
        var response = await base.SendAsync(request, cancellationToken);
        await response.Content.LoadIntoBufferAsync(cancellationToken);
        var answer = Describe(await response.Content.ReadAsStringAsync(cancellationToken));
        console.MarkupLineInterpolated($"  [blue]<[/] {(int)response.StatusCode} [grey]{Printable.Of(answer)}[/]");
        return response;
    }

    private static string Headers(HttpRequestMessage request)
    {
        var sent = new StringBuilder();
        if (request.Headers.TryGetValues("Authorization", out var authorization))
        {
            sent.Append(" with a ").Append(authorization.First().Split(' ')[0]).Append(" token");
        }
        foreach (var header in new[] { "DPoP", "OAuth-Client-Attestation", "Idempotency-Key", "If-Match" })
        {
            if (request.Headers.Contains(header))
            {
                sent.Append(sent.Length == 0 ? " with " : ", ").Append(header);
            }
        }
        return sent.ToString();
    }

    private string Describe(string body) => Shortened(DescribeWhole(body), longestBody);

    private static string DescribeWhole(string body)
    {
        if (body.Length == 0)
        {
            return "";
        }
        if (body[0] is not '{')
        {
            var form = HttpUtility.ParseQueryString(body);
            return string.Join(' ', form.AllKeys.OfType<string>().Select(name => $"{name}={Value(name, form[name] ?? "")}"));
        }
        try
        {
            return Members(JsonNode.Parse(body, documentOptions: s_strict)!.AsObject());
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return "(not JSON)";
        }
    }

    private static string Members(JsonObject json) => string.Join(' ', json.Select(member => member.Value switch
    {
        JsonObject inner => $"{member.Key}={{{Members(inner)}}}",
        var value => $"{member.Key}={Value(member.Key, Facts.TextOf(value))}",
    }));

    private static string Value(string name, string value)
    {
        if (s_secrets.Contains(name))
        {
            return "(secret)";
        }
        return s_proofs.Contains(name) ? Claims(value) : Shortened(value, LongestValue);
    }

    private static string Shortened(string text, int longest) => text.Length <= longest ? text : text[..longest] + "...";

    private static string Claims(string jwt) => UnverifiedJwt.Part(jwt, 1) is { } claims ? $"(JWT: {Members(claims)})" : "(secret)";
}
