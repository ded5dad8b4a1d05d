using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Dcr.Protocol;

/// <summary>
/// A JSON object from a stranger: strict UTF-8, no duplicate members, nesting at most 16, strings at most 2 KiB
/// (a JWT, such as a software statement, and a certificate 8 KiB; an assertion to diagnose, any length), arrays at most 100, no control characters. Kestrel limits the body to 64 KiB.
/// </summary>
internal static class JsonBody
{
    private const int MaxDepth = 16;
    private const int MaxString = 2048;
    private const int MaxJwt = 8192;
    private const int MaxArray = 100;
    private const int MaxMembers = 200;

    private static readonly JsonDocumentOptions s_strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    public static async Task<Result<T>> ReadAsync<T>(HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : notnull
    {
        var read = await ReadWithHashAsync(request, type, cancellationToken);
        return read.IsSuccess ? read.Value.Value : read.Error;
    }

    /// <summary>With the SHA-256 of the body as sent, to know it again.</summary>
    public static async Task<Result<HashedBody<T>>> ReadWithHashAsync<T>(HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : notnull
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var contentType)
            || !contentType.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (contentType.Charset.HasValue && !contentType.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)))
        {
            return OAuthError.InvalidRequest("The body must be application/json in UTF-8.", StatusCodes.Status415UnsupportedMediaType);
        }

        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer, cancellationToken);
        var body = buffer.GetBuffer().AsMemory(0, (int)buffer.Length);
        var parsed = Parse(body, type);
        return parsed.IsSuccess ? new HashedBody<T>(parsed.Value, Base64Url.EncodeToString(SHA256.HashData(body.Span))) : parsed.Error;
    }

    internal static Result<T> Parse<T>(ReadOnlyMemory<byte> utf8, JsonTypeInfo<T> type)
        where T : notnull
    {
        if (!Utf8.IsValid(utf8.Span))
        {
            return OAuthError.InvalidClientMetadata("The body is not valid UTF-8.");
        }
        try
        {
            using var document = JsonDocument.Parse(utf8, s_strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return OAuthError.InvalidClientMetadata("The body must be a JSON object.");
            }
            if (Fault(document.RootElement, "") is { } fault)
            {
                return OAuthError.InvalidClientMetadata(fault);
            }
            return Deserialize(document.RootElement, type);
        }
        catch (JsonException)
        {
            return OAuthError.InvalidClientMetadata($"The body is not a JSON object nested at most {MaxDepth} deep with each member named once.");
        }
    }

    private static Result<T> Deserialize<T>(JsonElement body, JsonTypeInfo<T> type)
        where T : notnull
    {
        try
        {
            return body.Deserialize(type)!;
        }
        catch (JsonException exception) when (exception.Path is { Length: > 2 } path)
        {
            var isClosed = type.UnmappedMemberHandling == JsonUnmappedMemberHandling.Disallow;
            return OAuthError.InvalidClientMetadata($"{path[2..]}: {(isClosed ? "there is no such member, or its" : "the")} value has the wrong JSON type.");
        }
        catch (JsonException)
        {
            var missing = type.Properties.Where(member => member.IsRequired && !body.TryGetProperty(member.Name, out _)).Select(member => member.Name);
            return OAuthError.InvalidClientMetadata($"The body must have the members that are needed: {string.Join(", ", missing)}.");
        }
    }

    /// <summary>The first value that breaks a limit, named by its path; null when all is well.</summary>
    private static string? Fault(JsonElement element, string path) => element.ValueKind switch
    {
        JsonValueKind.Object => ObjectFault(element, path),
        JsonValueKind.Array => ArrayFault(element, path),
        JsonValueKind.String => TextFault(element, path),
        _ => null,
    };

    private static string? ObjectFault(JsonElement element, string path)
    {
        if (element.GetPropertyCount() > MaxMembers)
        {
            return $"{(path.Length == 0 ? "The body" : path)}: more than {MaxMembers} members.";
        }
        foreach (var member in element.EnumerateObject())
        {
            if (!TryText(() => member.Name, out var name))
            {
                return $"{(path.Length == 0 ? "The body" : path)}: a member name is not valid Unicode.";
            }
            if (TextFault(name, MaxString) is { } fault)
            {
                return $"{(path.Length == 0 ? "The body" : path)}: a member name {fault}";
            }
            if (Fault(member.Value, path.Length == 0 ? name : $"{path}.{name}") is { } inner)
            {
                return inner;
            }
        }
        return null;
    }

    private static string? ArrayFault(JsonElement element, string path)
    {
        if (element.GetArrayLength() > MaxArray)
        {
            return $"{path}: more than {MaxArray} elements.";
        }
        var index = 0;
        foreach (var item in element.EnumerateArray())
        {
            if (Fault(item, $"{path}[{index++}]") is { } fault)
            {
                return fault;
            }
        }
        return null;
    }

    private static string? TextFault(JsonElement element, string path)
    {
        if (!TryText(() => element.GetString()!, out var text))
        {
            return $"{path}: not valid Unicode.";
        }
        // It is here to be judged: what is wrong with it is the answer.
        if (path == "client_assertion")
        {
            return null;
        }
        return TextFault(text, path is "software_statement" or "proof" || IsCertificate(path) ? MaxJwt : MaxString) is { } fault ? $"{path} {fault}" : null;
    }

    // RFC 7517 section 4.7: libraries send the certificates of a key along, and one of an RSA key has more than 2 KiB.
    private static bool IsCertificate(string path) => path.LastIndexOf('[') is var end and > 0 && path.AsSpan(0, end) is "x5c" or [.., '.', 'x', '5', 'c'];

    private static string? TextFault(string text, int limit)
    {
        if (Encoding.UTF8.GetByteCount(text) > limit)
        {
            return $"is longer than {limit} bytes.";
        }
        return text.Any(char.IsControl) ? "has a control character." : null;
    }

    // A lone surrogate escape, such as \uD800, is only found when the text is asked for.
    private static bool TryText(Func<string> read, out string text)
    {
        try
        {
            text = read();
            return true;
        }
        catch (InvalidOperationException)
        {
            text = "";
            return false;
        }
    }
}

/// <param name="Value">What the body says.</param>
/// <param name="Sha256">Of its bytes, base64url.</param>
internal sealed record HashedBody<T>(T Value, string Sha256);
