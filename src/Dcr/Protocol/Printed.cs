using System.Globalization;
using System.Text;

namespace Dcr.Protocol;

/// <summary>
/// A text as the log shows it: printable ASCII, anything else as its code, and not longer than a line should be. Every text of a log
/// message is one (a test looks), so nothing that a stranger sends forges a line, steers a terminal or fills a disk.
/// </summary>
internal readonly record struct Printed(string? Text)
{
    private const int MaxLength = 1024;

    public static implicit operator Printed(string? text) => new(text);

    public override string ToString()
    {
        if (Text is null)
        {
            return "(none)";
        }
        if (Text.Length <= MaxLength && Text.All(IsPlain))
        {
            return Text;
        }
        var shown = new StringBuilder();
        foreach (var c in Text)
        {
            if (shown.Length >= MaxLength)
            {
                return shown.Append("...").ToString();
            }
            if (IsPlain(c))
            {
                shown.Append(c);
            }
            else
            {
                shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            }
        }
        return shown.ToString();
    }

    private static bool IsPlain(char c) => c is >= ' ' and <= '~';
}
