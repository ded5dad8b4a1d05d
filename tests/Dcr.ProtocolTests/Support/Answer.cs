using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Dcr.ProtocolTests.Support;

/// <summary>An HTTP answer with its JSON body read.</summary>
public sealed class Answer(HttpResponseMessage response, string text, JsonObject? json)
{
    public HttpResponseMessage Response { get; } = response;

    public string Text { get; } = text;

    public HttpStatusCode Status => Response.StatusCode;

    public JsonObject Json => json ?? throw new InvalidOperationException($"{(int)Status} without a JSON object: {Text}");

    public string? Error => json?["error"]?.GetValue<string>();

    public string? Description => json?["error_description"]?.GetValue<string>();

    public string this[string member] => Json[member]!.GetValue<string>();

    /// <param name="response">To be read.</param>
    /// <param name="log">What the server logged, to be shown where it answers with a fault.</param>
    public static async Task<Answer> ReadAsync(HttpResponseMessage response, CapturedLog? log = null)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var isJson = response.Content.Headers.ContentType?.MediaType is "application/json";
        var json = isJson && text.StartsWith('{') ? JsonNode.Parse(text)!.AsObject() : null;
        return new Answer(response, response.StatusCode >= HttpStatusCode.InternalServerError ? $"{text}\n{log?.Faults}" : text, json);
    }

    public Answer Succeeded(HttpStatusCode status = HttpStatusCode.OK)
    {
        Assert.True(Status == status, $"expected {(int)status}, got {(int)Status}: {Text}");
        return this;
    }

    /// <summary>The refusal, in the form every refusal has: RFC 6749 section 5.2.</summary>
    public Answer Refused(HttpStatusCode status, string error, string? descriptionHas = null)
    {
        Assert.True(Status == status && Error == error, $"expected {(int)status} {error}, got {(int)Status}: {Text}");
        Assert.Equal("application/json", Response.Content.Headers.ContentType?.MediaType);
        Assert.True(Response.Headers.CacheControl?.NoStore, "a refusal must not be stored by caches");
        Assert.NotNull(Description);
        Assert.DoesNotContain(Description, c => c is < ' ' or > '~' or '"' or '\\');
        if (status == HttpStatusCode.Unauthorized)
        {
            Assert.NotEmpty(Response.Headers.WwwAuthenticate);
        }
        if (descriptionHas is not null)
        {
            Assert.Contains(descriptionHas, Description, StringComparison.Ordinal);
        }
        return this;
    }
}
