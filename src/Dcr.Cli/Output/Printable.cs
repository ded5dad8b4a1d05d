namespace Dcr.Cli;

/// <summary>Text from elsewhere must not steer the terminal.</summary>
internal static class Printable
{
    /// <summary>Control characters, also those that turn the direction of writing, become question marks.</summary>
    public static string Of(string text) =>
        text.Any(IsUnsafe) ? string.Concat(text.Select(character => IsUnsafe(character) ? '?' : character)) : text;

    private static bool IsUnsafe(char character) =>
        char.IsControl(character) || character is (>= '\u200e' and <= '\u200f') or (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069');
}
