using System.CommandLine.Parsing;
using System.Globalization;

namespace Dcr.Cli;

/// <summary>A length of time as people type it: <c>90s</c>, <c>15m</c>, <c>12h</c>, <c>30d</c>.</summary>
internal static class Duration
{
    private const int LongestDays = 36_500;

    /// <summary>Null: it is none.</summary>
    public static TimeSpan? Find(string text)
    {
        if (text.Length < 2 || !int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }
        double? days = text[^1] switch
        {
            's' => number / 86_400d,
            'm' => number / 1_440d,
            'h' => number / 24d,
            'd' => number,
            _ => null,
        };
        return days is > 0 and <= LongestDays ? TimeSpan.FromSeconds(Math.Round(days.Value * 86_400d)) : null;
    }

    /// <summary>For an option.</summary>
    public static TimeSpan? Parse(ArgumentResult result)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (Find(text) is not { } duration)
        {
            result.AddError($"'{text}' is no length of time: 90s, 15m, 12h or 30d are.");
            return null;
        }
        return duration;
    }
}
