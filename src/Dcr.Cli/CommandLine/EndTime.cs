using System.Globalization;

namespace Dcr.Cli;

/// <summary>When something ends, as people type it: a time, or how long it has.</summary>
internal static class EndTime
{
    /// <summary>For help.</summary>
    public const string Description = "When it ends: a time such as 2030-01-31T00:00:00Z, or how long it has, such as 7d";

    /// <exception cref="CommandFailure">It is neither.</exception>
    public static DateTimeOffset Of(string text, DateTimeOffset now)
    {
        if (Duration.Find(text) is { } wait)
        {
            return now + wait;
        }
        // Without an offset it would be another time on every machine.
        return text.Contains('T') && (text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > text.IndexOf('T'))
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var end)
                ? end
                : throw CommandFailure.Usage($"--until {text} is neither a time (2030-01-31T00:00:00Z) nor a length of time (7d).");
    }
}
