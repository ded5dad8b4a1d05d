using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>How long requests took, in milliseconds. Each percentile is the time of a request that was made (nearest rank).</summary>
internal sealed record LatencyFigures(double P50, double P90, double P99, double P999, double Max)
{
    /// <summary>Null: there are no times.</summary>
    public static LatencyFigures? Of(IEnumerable<TimeSpan> times)
    {
        var sorted = times.Order().ToList();
        return sorted.Count == 0
            ? null
            : new(At(sorted, 0.5m), At(sorted, 0.9m), At(sorted, 0.99m), At(sorted, 0.999m), sorted[^1].TotalMilliseconds);
    }

    public JsonObject ToJson() => new()
    {
        ["p50"] = Round(P50),
        ["p90"] = Round(P90),
        ["p99"] = Round(P99),
        ["p99_9"] = Round(P999),
        ["max"] = Round(Max),
    };

    // The smallest time that so many are not above. Decimal: 0.9 of 10 is 9, not a little more.
    private static double At(List<TimeSpan> sorted, decimal share) => sorted[(int)Math.Ceiling(share * sorted.Count) - 1].TotalMilliseconds;

    private static double Round(double milliseconds) => Math.Round(milliseconds, 2);
}
