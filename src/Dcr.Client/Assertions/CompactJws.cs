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
