using System.Text.Json;

namespace Dcr.Protocol;

internal static class JsonText
{
    /// <summary>
    /// False when a member name or a string, at any depth, has half a surrogate pair, such as \uD800: JSON allows the escape (RFC 8259
    /// section 8.2), no Unicode text can hold it, and readers find it only when they ask for the text.
    /// </summary>
    /// <param name="utf8">Valid UTF-8.</param>
    /// <param name="maxDepth">How deep it may be nested.</param>
    /// <exception cref="JsonException">It is no JSON, or nested deeper.</exception>
    public static bool IsUnicode(ReadOnlySpan<byte> utf8, int maxDepth)
    {
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = maxDepth });
        try
        {
            while (reader.Read())
            {
                // Without an escape it is valid, since the whole is.
                if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.String && reader.ValueIsEscaped)
                {
                    reader.GetString();
                }
            }
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
