using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace Dcr.Jose;

/// <summary>What became of one JWK.</summary>
internal abstract record ReadKey
{
    public sealed record Usable(PublicKey Key) : ReadKey;

    /// <summary>Not a signing key of a kind known here; harmless in a set (RFC 7517 section 5).</summary>
    public sealed record NotForSigning(string Why) : ReadKey;

    /// <summary>Meant for signing but malformed or weak.</summary>
    public sealed record Unfit(string Fault) : ReadKey;

    /// <summary>Private or symmetric material: whoever sent it must not think it is safe.</summary>
    public sealed record Secret(string Fault) : ReadKey;
}

/// <summary>
/// Reads and judges one JWK (RFC 7517 section 4, RFC 7518 section 6), as far as that is cheap: nothing is imported, and
/// <c>DeepFault</c> says the rest.
/// </summary>
internal static class PublicKeyReader
{
    private const int MaxText = 256;

    private static readonly string[] s_publicMembers = ["kty", "kid", "use", "key_ops", "alg", "crv", "x", "y", "n", "e"];

    public static ReadKey Read(JsonElement jwk)
    {
        try
        {
            return Judge(jwk);
        }
        catch (InvalidOperationException)
        {
            // A lone surrogate escape, such as \uD800, is only found when the text is asked for.
            return new ReadKey.Unfit("its text is not valid Unicode");
        }
    }

    private static ReadKey Judge(JsonElement jwk)
    {
        if (jwk.ValueKind != JsonValueKind.Object)
        {
            return new ReadKey.Unfit("a key must be a JSON object");
        }
        if (PrivateJwkMembers.All.FirstOrDefault(name => TryMember(jwk, name, out _)) is { } secret)
        {
            return new ReadKey.Secret($"it has the member {secret}, which is private; register the public key only, and replace this key");
        }
        if (!TryText(jwk, "kty", out var kty)
            || kty is null
            || !TryText(jwk, "kid", out var kid)
            || !TryText(jwk, "alg", out var alg)
            || !TryText(jwk, "use", out var use))
        {
            return new ReadKey.Unfit($"kty must be there, and kty, kid, alg and use must be strings of at most {MaxText} characters");
        }
        if (kty == "oct")
        {
            return new ReadKey.Secret("it is symmetric; register a public key");
        }
        if (NotForSigning(jwk, use, alg) is { } why)
        {
            return new ReadKey.NotForSigning(why);
        }
        return kty switch
        {
            "EC" => ReadEc(jwk, kid, alg),
            "RSA" => ReadRsa(jwk, kid, alg),
            _ => new ReadKey.NotForSigning($"its kty {Shortened.Of(kty)} is not known here"),
        };
    }

    private static string? NotForSigning(JsonElement jwk, string? use, string? alg)
    {
        if (use is not null and not "sig")
        {
            return $"its use is {Shortened.Of(use)}, not sig";
        }
        if (!AllowsVerifying(jwk))
        {
            return "its key_ops do not have verify";
        }
        return alg is null || JwsAlgorithms.IsSupported(alg) ? null : $"its alg {Shortened.Of(alg)} is not known here";
    }

    // RFC 7517 section 4.3. An empty list says nothing: some libraries always write one.
    private static bool AllowsVerifying(JsonElement jwk) =>
        !TryMember(jwk, "key_ops", out var operations)
        || (operations.ValueKind == JsonValueKind.Array
            && (
                operations.GetArrayLength() == 0
                    || operations.EnumerateArray().Any(op => op.ValueKind == JsonValueKind.String && op.ValueEquals("verify"))));

    // A null member is one that is not there: libraries that write every property send many.
    private static bool TryMember(JsonElement jwk, string name, out JsonElement value) =>
        jwk.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    private static ReadKey ReadEc(JsonElement jwk, string? kid, string? alg)
    {
        if (!TryText(jwk, "crv", out var crv) || EllipticCurve.Find(crv) is not { } curve)
        {
            return new ReadKey.NotForSigning($"its crv {Shortened.OrNone(crv)} is not known here");
        }
        if (alg is not null && alg != curve.Alg)
        {
            return new ReadKey.Unfit($"alg {alg} does not go with the curve {crv}");
        }
        // RFC 7518 section 6.2.1.2: full length, leading zeros included.
        if (Bytes(jwk, "x") is not { } x || Bytes(jwk, "y") is not { } y || x.Length != curve.Size || y.Length != curve.Size)
        {
            return new ReadKey.Unfit($"x and y must be base64url of {curve.Size} bytes for {crv}");
        }
        if (!curve.Holds(x, y))
        {
            return new ReadKey.Unfit($"x and y are no point on {crv}");
        }
        var thumbprint = JwkThumbprint.OfEc(crv, Base64Url.EncodeToString(x), Base64Url.EncodeToString(y));
        return new ReadKey.Usable(new PublicKey(PublicMembers(jwk), curve, kid, alg, thumbprint));
    }

    private static ReadKey ReadRsa(JsonElement jwk, string? kid, string? alg)
    {
        if (alg?[0] == 'E')
        {
            return new ReadKey.Unfit($"alg {alg} does not go with an RSA key");
        }
        if (Bytes(jwk, "n") is not { } n || Bytes(jwk, "e") is not { } e)
        {
            return new ReadKey.Unfit("n and e must be base64url");
        }
        if (RsaKeyRules.Fault(n, e) is { } fault)
        {
            return new ReadKey.Unfit(fault);
        }
        var thumbprint = JwkThumbprint.OfRsa(Base64Url.EncodeToString(n), Base64Url.EncodeToString(e));
        return new ReadKey.Usable(new PublicKey(PublicMembers(jwk), curve: null, kid, alg, thumbprint));
    }

    private static byte[] PublicMembers(JsonElement jwk)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        foreach (var name in s_publicMembers)
        {
            if (TryMember(jwk, name, out var value))
            {
                writer.WritePropertyName(name);
                value.WriteTo(writer);
            }
        }
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static bool TryText(JsonElement jwk, string name, out string? text)
    {
        text = null;
        if (!TryMember(jwk, name, out var value))
        {
            return true;
        }
        text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        return text is { Length: > 0 and <= MaxText };
    }

    private static byte[]? Bytes(JsonElement jwk, string name) =>
        jwk.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        && value.GetString() is { Length: > 0 } text && !text.Contains('=', StringComparison.Ordinal) && Base64Url.IsValid(text)
            ? Base64Url.DecodeFromChars(text)
            : null;
}
