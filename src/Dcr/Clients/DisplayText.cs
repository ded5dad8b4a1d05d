using System.Globalization;
using System.Text;

namespace Dcr.Clients;

/// <summary>Text that people read to decide whom to trust, such as the name of a client.</summary>
internal static class DisplayText
{
    /// <summary>
    /// False for text that does not look like what it is: with marks that turn the direction of writing, characters of no width and
    /// others that are not seen (Unicode's category Cf), or line and paragraph separators.
    /// </summary>
    public static bool IsPlain(string text) => text.EnumerateRunes().All(rune => Rune.GetUnicodeCategory(rune) is not (
        UnicodeCategory.Format or UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator));
}
