using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Dcr.Client;

/// <summary>Writes signed JWTs (RFC 7515 section 7.1).</summary>
internal static class CompactJws
{
    private const int JtiBytes = 16;

    public static async ValueTask<string> SignAsync(
        ISigningKey key, Action<Utf8JsonWriter> header, Action<Utf8JsonWriter> claims, CancellationToken cancellationToken)
    {
        var input = $"{Encode(header)}.{Encode(claims)}";
        var signature = await key.SignAsync(Encoding.ASCII.GetBytes(input), cancellationToken).ConfigureAwait(false);
        return $"{input}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>Of a JWT whose key the reader finds by its name.</summary>
    public static void WriteHeader(Utf8JsonWriter header, ISigningKey key, string type)
    {
        header.WriteString("alg", key.Algorithm.ToString());
        header.WriteString("typ", type);
        if (key.PublicJwk.Kid is { } kid)
        {
            header.WriteString("kid", kid);
        }
    }

    /// <summary>The member <c>jwk</c>: the key alone, without what it says about itself.</summary>
    public static void WriteJwk(Utf8JsonWriter writer, PublicJwk jwk)
    {
        writer.WriteStartObject("jwk");
        writer.WriteString("kty", jwk.Kty);
        if (jwk.Kty == "EC")
        {
            writer.WriteString("crv", jwk.Crv);
            writer.WriteString("x", jwk.X);
            writer.WriteString("y", jwk.Y);
        }
        else
        {
            writer.WriteString("n", jwk.N);
            writer.WriteString("e", jwk.E);
        }
        writer.WriteEndObject();
    }

    /// <summary>Never used before by anybody.</summary>
    public static string NewJti() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(JtiBytes));

    private static string Encode(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }
        return Base64Url.EncodeToString(buffer.WrittenSpan);
    }
}
