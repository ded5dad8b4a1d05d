using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;

namespace Dcr.Protocol;

/// <summary>
/// A JSON object from a stranger: UTF-8 and Unicode throughout, each member named once, and within <see cref="JsonLimits"/>. Kestrel
/// limits the body to 64 KiB, <see cref="RequestBody"/> its time.
/// </summary>
internal static class JsonBody
{
    public static Task<Result<T>> ReadAsync<T>(HttpRequest request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : notnull => ReadAsync(request, type, isRead: null, cancellationToken);

    /// <param name="request">Whose body.</param>
    /// <param name="type">What it is to be.</param>
    /// <param name="isRead">Which members are read; the others are ignored, whatever they hold. Null: all.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static async Task<Result<T>> ReadAsync<T>(
        HttpRequest request, JsonTypeInfo<T> type, Func<string, bool>? isRead, CancellationToken cancellationToken)
        where T : notnull
    {
        var read = await ReadWithHashAsync(request, type, isRead, cancellationToken);
        return read.IsSuccess ? read.Value.Value : read.Error;
    }

    /// <summary>With the SHA-256 of the body as sent, to know it again.</summary>
    public static async Task<Result<HashedBody<T>>> ReadWithHashAsync<T>(
        HttpRequest request, JsonTypeInfo<T> type, Func<string, bool>? isRead, CancellationToken cancellationToken)
        where T : notnull
    {
        if (RequestBody.Fault(request, "application/json", "utf-8") is { } fault)
        {
            return fault;
        }
        var read = await RequestBody.ReadAsync(request, cancellationToken);
        if (!read.IsSuccess)
        {
            return read.Error;
        }
        var parsed = Parse(read.Value, type, isRead);
        return parsed.IsSuccess ? new HashedBody<T>(parsed.Value, Base64Url.EncodeToString(SHA256.HashData(read.Value))) : parsed.Error;
    }

    /// <param name="utf8">The text.</param>
    /// <param name="type">What it is to be.</param>
    /// <param name="isRead">Which members are read; the others are ignored, whatever they hold. Null: all.</param>
    internal static Result<T> Parse<T>(ReadOnlyMemory<byte> utf8, JsonTypeInfo<T> type, Func<string, bool>? isRead = null)
        where T : notnull
    {
        if (!Utf8.IsValid(utf8.Span))
        {
            return OAuthError.InvalidClientMetadata("The body is not valid UTF-8.");
        }
        // What is ignored may be nested as deep as the size of the body allows.
        var maxDepth = isRead is null ? JsonLimits.MaxDepth : utf8.Length + 1;
        try
        {
            if (!JsonText.IsUnicode(utf8.Span, maxDepth))
            {
                return OAuthError.InvalidClientMetadata(
                    "The body is not valid Unicode: a member name or a text has half a surrogate pair.");
            }
            using var document = JsonDocument.Parse(
                utf8, new JsonDocumentOptions { MaxDepth = maxDepth, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return OAuthError.InvalidClientMetadata("The body must be a JSON object.");
            }
            return JsonLimits.Fault(document.RootElement, isRead, isJwk: type.Type == typeof(JsonElement)) is { } fault
                ? OAuthError.InvalidClientMetadata(fault)
                : Deserialize(document.RootElement, type, isRead);
        }
        catch (JsonException)
        {
            return OAuthError.InvalidClientMetadata(
                $"The body is not a JSON object nested at most {JsonLimits.MaxDepth} deep with each member named once.");
        }
    }

    private static Result<T> Deserialize<T>(JsonElement body, JsonTypeInfo<T> type, Func<string, bool>? isRead)
        where T : notnull
    {
        try
        {
            return isRead is null ? body.Deserialize(type)! : JsonSerializer.Deserialize(Only(body, isRead), type)!;
        }
        catch (JsonException exception) when (exception.Path is { Length: > 2 } path)
        {
            var isClosed = type.UnmappedMemberHandling == JsonUnmappedMemberHandling.Disallow;
            return OAuthError.InvalidClientMetadata(
                $"{path[2..]}: {(isClosed ? "unknown member, or its" : "the")} value has the wrong JSON type.");
        }
        catch (JsonException)
        {
            var missing = type.Properties.Where(
                member => member.IsRequired && !body.TryGetProperty(member.Name, out _)).Select(member => member.Name);
            return OAuthError.InvalidClientMetadata($"The body must have the members that are needed: {string.Join(", ", missing)}.");
        }
    }

    private static ReadOnlySpan<byte> Only(JsonElement body, Func<string, bool> isRead)
    {
        var kept = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(kept))
        {
            writer.WriteStartObject();
            foreach (var member in body.EnumerateObject().Where(member => isRead(member.Name)))
            {
                member.WriteTo(writer);
            }
            writer.WriteEndObject();
        }
        return kept.WrittenSpan;
    }
}

/// <param name="Value">What the body says.</param>
/// <param name="Sha256">Of its bytes, base64url.</param>
internal sealed record HashedBody<T>(T Value, string Sha256);
