using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>What a JWT says, to be shown; nothing is believed.</summary>
internal static class UnverifiedJwt
{
    // A member that stands twice would be found out only when it is asked for.
    private static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false };

    /// <param name="jwt">Compact serialization.</param>
    /// <param name="index">0 the header, 1 the claims.</param>
    /// <returns>Null: there is no JSON object there.</returns>
    public static JsonObject? Part(string jwt, int index)
    {
        try
        {
            return jwt.Split('.') is { Length: 3 } parts
                ? JsonNode.Parse(Base64Url.DecodeFromChars(parts[index]), documentOptions: s_strict) as JsonObject
                : null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException)
        {
            return null;
        }
    }
}
