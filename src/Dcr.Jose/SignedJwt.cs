using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Dcr.Jose;

/// <summary>
/// A JWT that somebody signed, taken apart, not yet believed: JWS compact serialization (RFC 7515 section 7.1) of a JWT Claims
/// Set (RFC 7519 section 7.2). Members that most rules look at are read at once, the others when asked for.
/// </summary>
internal sealed record SignedJwt
{
    /// <summary>
    /// 8 KiB in all; a stranger may send anything. Header and payload share it as they like: a chain of certificates is ignored, not
    /// refused.
    /// </summary>
    public const int MaxLength = 8192;

    /// <summary>32 KiB for a software statement, which is signed once and kept.</summary>
    public const int MaxStatementLength = 32 * 1024;

    private static readonly JsonDocumentOptions s_strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    // A claim that is ignored may hold anything; only the length bounds it.
    private static readonly JsonDocumentOptions s_deep = new() { MaxDepth = MaxStatementLength, AllowDuplicateProperties = false };

    public required string Alg { get; init; }

    public required string? Kid { get; init; }

    public required string? Typ { get; init; }

    public required string? Issuer { get; init; }

    public required string? Subject { get; init; }

    /// <summary>The <c>aud</c> values; null when the claim is absent or neither a string nor an array of strings.</summary>
    public required IReadOnlyList<string>? Audiences { get; init; }

    /// <summary>Even of one.</summary>
    public required bool AudienceIsArray { get; init; }

    public required JwtTime Expires { get; init; }

    public required JwtTime IssuedAt { get; init; }

    public required JwtTime NotBefore { get; init; }

    public required string? Jti { get; init; }

    public required ReadOnlyMemory<byte> HeaderJson { get; init; }

    public required ReadOnlyMemory<byte> ClaimsJson { get; init; }

    /// <summary>The bytes that are signed: header, dot and payload as sent.</summary>
    public required ReadOnlyMemory<byte> SigningInput { get; init; }

    public required ReadOnlyMemory<byte> Signature { get; init; }

    /// <summary>Null, with the fault, when the text is no such JWS.</summary>
    public static SignedJwt? Parse(string text, out string fault) => Parse(text, MaxLength, s_strict, out fault);

    /// <summary>The same for a software statement, which may be longer and hold claims of any shape.</summary>
    public static SignedJwt? ParseStatement(string text, out string fault) => Parse(text, MaxStatementLength, s_deep, out fault);

    private static SignedJwt? Parse(string text, int maxLength, JsonDocumentOptions claimsOptions, out string fault)
    {
        if (text.Length > maxLength)
        {
            fault = $"it is longer than {maxLength} characters";
            return null;
        }
        var parts = text.Split('.');
        if (parts.Length != 3)
        {
            // Five parts are an encrypted JWT: refused before anything is decrypted (RFC 8725 section 3.15).
            fault = $"a JWS has three parts, this has {parts.Length}";
            return null;
        }
        if (!TryDecode(parts[0], out var header) || !TryDecode(parts[1], out var payload) || !TryDecode(parts[2], out var signature))
        {
            fault = "a part is not base64url without padding";
            return null;
        }
        try
        {
            return Read(
                header,
                payload,
                claimsOptions,
                Encoding.ASCII.GetBytes(text, 0, parts[0].Length + 1 + parts[1].Length),
                signature,
                out fault);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a lone surrogate escape, found when its string is asked for.
            fault = "its header or payload is not a JSON object with each member named once";
            return null;
        }
    }

    private static SignedJwt? Read(
        byte[] header, byte[] payload, JsonDocumentOptions claimsOptions, byte[] signingInput, byte[] signature, out string fault)
    {
        if (!Utf8.IsValid(header) || !Utf8.IsValid(payload))
        {
            fault = "its header or payload is not valid UTF-8";
            return null;
        }
        using var headerDocument = JsonDocument.Parse(header, s_strict);
        using var payloadDocument = JsonDocument.Parse(payload, claimsOptions);
        var head = headerDocument.RootElement;
        var claims = payloadDocument.RootElement;
        if (head.ValueKind != JsonValueKind.Object || claims.ValueKind != JsonValueKind.Object)
        {
            fault = "its header or payload is not a JSON object";
            return null;
        }
        // RFC 7515 section 4.1.11: no extension is understood here, so any crit, empty or not, is refused.
        if (head.TryGetProperty("crit", out _))
        {
            fault = "its header has crit, and no extension is understood";
            return null;
        }
        // RFC 7797 section 3: an unencoded payload must come with crit.
        if (head.TryGetProperty("b64", out _))
        {
            fault = "its header has b64, and unencoded payloads are not understood";
            return null;
        }
        if (!TryText(head, "alg", out var alg) || alg is null || !TryText(head, "kid", out var kid) || !TryText(head, "typ", out var typ))
        {
            fault = "its header needs alg, and alg, kid and typ must be strings";
            return null;
        }
        if (!TryText(claims, "iss", out var issuer) || !TryText(claims, "sub", out var subject) || !TryText(claims, "jti", out var jti))
        {
            fault = "its iss, sub and jti must be strings";
            return null;
        }
        fault = "";
        return new SignedJwt
        {
            Alg = alg,
            Kid = kid,
            Typ = typ,
            Issuer = issuer,
            Subject = subject,
            Audiences = Audience(claims),
            AudienceIsArray = claims.TryGetProperty("aud", out var aud) && aud.ValueKind == JsonValueKind.Array,
            Expires = JwtTime.Read(claims, "exp"),
            IssuedAt = JwtTime.Read(claims, "iat"),
            NotBefore = JwtTime.Read(claims, "nbf"),
            Jti = jti,
            HeaderJson = header,
            ClaimsJson = payload,
            SigningInput = signingInput,
            Signature = signature,
        };
    }

    /// <summary>A string claim. Null: absent, or no string.</summary>
    public string? Claim(string name) => Text(ClaimsJson, name);

    /// <summary>A member of the header or, by a path of two names, of an object among the claims. Null: absent.</summary>
    public static JsonElement? Member(ReadOnlyMemory<byte> json, params ReadOnlySpan<string> path)
    {
        using var document = JsonDocument.Parse(json, s_deep);
        var found = document.RootElement;
        foreach (var name in path)
        {
            if (found.ValueKind != JsonValueKind.Object || !found.TryGetProperty(name, out found) || found.ValueKind == JsonValueKind.Null)
            {
                return null;
            }
        }
        return found.Clone();
    }

    /// <summary>By its media type, which folds case and may leave out <c>application/</c> (RFC 7515 section 4.1.9).</summary>
    public bool IsOfType(string type)
    {
        const string Prefix = "application/";
        var name = Typ is { } typ && typ.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) ? typ[Prefix.Length..] : Typ;
        return string.Equals(name, type, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>
    /// RFC 7519 section 4.1.3: it has an <c>aud</c>, and that names none of these; such a JWT must be refused. One without <c>aud</c>
    /// is addressed to nobody, and so not to others.
    /// </summary>
    public bool IsAddressedToOthers(params string[] own) =>
        Member(ClaimsJson, "aud") is { ValueKind: not JsonValueKind.Null }
        && Audiences?.Any(audience => own.Contains(audience, StringComparer.Ordinal)) != true;

    private static string? Text(ReadOnlyMemory<byte> json, string name)
    {
        try
        {
            return Member(json, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate escape is no string anybody meant.
            return null;
        }
    }

    private static bool TryDecode(string part, out byte[] bytes)
    {
        // Base64Url tolerates padding and white space, RFC 7515 section 2 neither.
        if (part.Length == 0
            || part.AsSpan().ContainsAny('=', ' ')
            || part.AsSpan().ContainsAny('\r', '\n', '\t')
            || !Base64Url.IsValid(part))
        {
            bytes = [];
            return false;
        }
        bytes = Base64Url.DecodeFromChars(part);
        return true;
    }

    private static bool TryText(JsonElement element, string name, out string? text)
    {
        text = null;
        // Null is absent: some libraries write every claim they know.
        if (!element.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return true;
        }
        if (value.ValueKind != JsonValueKind.String)
        {
            return false;
        }
        text = value.GetString();
        return true;
    }

    private static IReadOnlyList<string>? Audience(JsonElement claims)
    {
        if (!claims.TryGetProperty("aud", out var aud))
        {
            return null;
        }
        return aud.ValueKind switch
        {
            JsonValueKind.String => [aud.GetString()!],
            JsonValueKind.Array when aud.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) =>
                [.. aud.EnumerateArray().Select(item => item.GetString()!)],
            _ => null,
        };
    }
}
