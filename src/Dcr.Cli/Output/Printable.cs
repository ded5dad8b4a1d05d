namespace Dcr.Cli;

/// <summary>Text from elsewhere must not steer the terminal.</summary>
internal static class Printable
{
    /// <summary>Control characters, also those that turn the direction of writing, become question marks.</summary>
    public static string Of(string text) =>
        text.Any(IsUnsafe) ? string.Concat(text.Select(character => IsUnsafe(character) ? '?' : character)) : text;

    /// <summary>The same for a JSON document, where each of them can be written as what it is (RFC 8259 section 7).</summary>
    public static string OfJson(string json) =>
        json.Any(IsUnsafeInJson)
            ? string.Concat(json.Select(character => IsUnsafeInJson(character) ? $"\\u{(int)character:x4}" : character.ToString()))
            : json;

    private static bool IsUnsafe(char character) =>
        char.IsControl(character)
            || character is '\u061c' or (>= '\u200e' and <= '\u200f') or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069');

    // Between its members a document has line breaks; within a text the writer has escaped them.
    private static bool IsUnsafeInJson(char character) => character is not ('\n' or '\r') && IsUnsafe(character);
}
