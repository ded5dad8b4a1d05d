using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Dcr.Onboarding;

/// <summary>
/// What an entry of a seed file is known by: the hash of what it says, whatever the layout and the order of its members. Of what the
/// file says and not of what this version makes of it, so that a newer version does not take every entry for a changed one.
/// </summary>
internal static class SeedEntryHash
{
    public static string Of(JsonElement entry)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            Write(entry, writer);
        }
        return Base64Url.EncodeToString(SHA256.HashData(buffer.GetBuffer().AsSpan(0, (int)buffer.Length)));
    }

    private static void Write(JsonElement value, Utf8JsonWriter writer)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var member in value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(member.Name);
                    Write(member.Value, writer);
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var element in value.EnumerateArray())
                {
                    Write(element, writer);
                }
                writer.WriteEndArray();
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }
}
