using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Unicode;

namespace Dcr.Cli;

/// <summary>
/// A client assertion taken apart, and what is wrong with its shape (rule 1: RFC 7515 section 7.1, RFC 7519 section 7.2).
/// Also of a malformed one there is whatever can be read. Nothing is believed.
/// </summary>
internal sealed record ExaminedAssertion
{
    public const int MaxLength = 8192;

    private const string SignAgain = "Let a JWT library write it: header, claims and signature, each in base64url without padding, with "
        + "dots between.";

    private static readonly string[] s_partNames = ["header", "payload", "signature"];
    private static readonly JsonDocumentOptions s_strict = new() { MaxDepth = 16, AllowDuplicateProperties = false };

    /// <summary>What is wrong. Null: it is well formed.</summary>
    public string? Fault { get; private init; }

    /// <summary>What to do about <see cref="Fault"/>.</summary>
    public string? Next { get; private init; }

    /// <summary>Null: it cannot be read.</summary>
    public JsonObject? Header { get; private init; }

    /// <inheritdoc cref="Header"/>
    public JsonObject? Claims { get; private init; }

    public byte[] SigningInput { get; private init; } = [];

    /// <summary>Empty: there is none that can be read.</summary>
    public byte[] Signature { get; private init; } = [];

    /// <param name="text">What a client would send; white space around it is no part of it.</param>
    public static ExaminedAssertion Read(string text)
    {
        var jwt = text.Trim();
        var parts = jwt.Split('.');
        if (parts.Length != 3)
        {
            return Whole(jwt, parts.Length);
        }
        var decoded = parts.Select(Decode).ToArray();
        var (header, headerFault) = ReadObject(decoded[0], "header");
        var (claims, claimsFault) = ReadObject(decoded[1], "payload");
        var (fault, next) =
            jwt.Length > MaxLength ? (TooLong(jwt), "Leave out what the server does not need.")
            : EncodingFault(parts, decoded) is { } encoding ? (encoding, SignAgain)
            : headerFault is not null ? (headerFault, SignAgain)
            : claimsFault is not null ? (claimsFault, SignAgain)
            : MemberFault(header!, claims!);
        return new ExaminedAssertion
        {
            Fault = fault,
            Next = next,
            Header = header,
            Claims = claims,
            SigningInput = Encoding.UTF8.GetBytes($"{parts[0]}.{parts[1]}"),
            Signature = decoded[2] ?? [],
        };
    }

    /// <summary>A string member. Null: it is not there, or is no string.</summary>
    public static string? Text(JsonObject json, string name)
    {
        try
        {
            return json[name] is { } value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate escape is no string anybody meant.
            return null;
        }
    }

    // What is no signed JWT at all.
    private static ExaminedAssertion Whole(string jwt, int parts) => parts switch
    {
        _ when jwt.Length == 0 =>
            new() { Fault = "there is nothing", Next = "Give the assertion: the value of client_assertion as it is sent." },
        5 =>
            new() { Fault = "it has five parts: it is encrypted (JWE)", Next = "Sign the assertion and do not encrypt it: TLS does that." },
        1 when jwt.StartsWith("-----BEGIN", StringComparison.Ordinal) =>
            new() { Fault = "it is a PEM file and no JWT", Next = "A key stays where it is: give the assertion that was signed with it." },
        _ when jwt.StartsWith('{') =>
            new() { Fault = "it is JSON and no signed JWT", Next = "Give the compact form: header.claims.signature" },
        _ =>
            new()
            {
                Fault = $"it has {(parts == 1 ? "one part" : $"{parts} parts")}; a signed JWT has three: header.claims.signature",
                Next = "Give the value of client_assertion as it is sent, whole.",
            },
    };

    private static string TooLong(string jwt) => $"it has {jwt.Length} characters; at most {MaxLength} are accepted";

    private static string? EncodingFault(string[] parts, byte[]?[] decoded)
    {
        for (var i = 0; i < parts.Length; i++)
        {
            var fault = parts[i] switch
            {
                "" when i == 2 => "its signature is empty: it is not signed",
                "" => $"its {s_partNames[i]} is empty",
                var part when part.Any(char.IsWhiteSpace) => $"there is white space inside its {s_partNames[i]}: was a line broken while "
                    + "it was copied?",
                var part when part.Contains('=', StringComparison.Ordinal) => $"its {s_partNames[i]} is padded with =; base64url in a JWT "
                    + "has no padding (RFC 7515 section 2)",
                var part when part.AsSpan().ContainsAny('+', '/') => $"its {s_partNames[i]} is base64 with + and /; a JWT wants "
                    + "base64url, with - and _",
                _ when decoded[i] is null => $"its {s_partNames[i]} is not base64url",
                _ => null,
            };
            if (fault is not null)
            {
                return fault;
            }
        }
        return null;
    }

    // Also what is nearly right, so that the other rules can be examined.
    private static byte[]? Decode(string part)
    {
        var text = part.Replace('+', '-').Replace('/', '_').TrimEnd('=');
        return text.Length > 0 && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;
    }

    private static (JsonObject? Json, string? Fault) ReadObject(byte[]? bytes, string part)
    {
        if (bytes is null || !Utf8.IsValid(bytes))
        {
            return (null, $"its {part} is not text in UTF-8");
        }
        try
        {
            var json = JsonNode.Parse(bytes, documentOptions: s_strict) as JsonObject;
            // Names are read when they are first asked for.
            return json?.Count >= 0 ? (json, null) : (null, $"its {part} is no JSON object");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            return (null, $"its {part} is not a JSON object with each member named once");
        }
    }

    private static (string? Fault, string? Next) MemberFault(JsonObject header, JsonObject claims)
    {
        if (header.ContainsKey("crit"))
        {
            return ("its header has crit, and the server understands no extension", "Leave crit out.");
        }
        if (header.ContainsKey("b64"))
        {
            return ("its header has b64, and the server takes no unencoded payload (RFC 7797)", "Leave b64 out.");
        }
        if (!header.ContainsKey("alg"))
        {
            return ("its header has no alg", SignAgain);
        }
        return Wrong(header, "alg", "kid", "typ") ?? Wrong(claims, "iss", "sub", "jti") ?? (null, null);
    }

    private static (string?, string?)? Wrong(JsonObject json, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (json.ContainsKey(name) && Text(json, name) is null)
            {
                return ($"{name} is {(json[name] is null ? "null" : "no string")}", $"Make {name} a string.");
            }
        }
        return null;
    }
}
