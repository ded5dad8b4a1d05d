using System.Globalization;

namespace Dcr.Cli;

/// <summary>Times and spans as sentences have them.</summary>
internal static class TimeText
{
    public static string Of(DateTimeOffset time) => time.UtcDateTime.ToString("HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    public static string Seconds(TimeSpan span) =>
        ((long)Math.Round(span.Duration().TotalSeconds)).ToString(CultureInfo.InvariantCulture) + " s";
}
