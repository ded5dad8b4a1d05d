using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>What came of a phase of load.</summary>
/// <param name="Samples">In no order.</param>
/// <param name="Elapsed">By the clock, from the first request to the last answer.</param>
/// <param name="Parallel">How many requests were under way at once.</param>
internal sealed record LoadFigures(IReadOnlyList<LoadSample> Samples, TimeSpan Elapsed, int Parallel)
{
    public int Requests => Samples.Count;

    public int Failures => Samples.Count(sample => sample.Failure is not null);

    /// <summary>Of requests that succeeded, this command's own signing included in the time.</summary>
    public double PerSecond => (Requests - Failures) / Elapsed.TotalSeconds;

    /// <summary>Which failures there were, the most frequent first.</summary>
    public IEnumerable<(string Answer, int Count)> FailuresByAnswer => Samples
        .Where(sample => sample.Failure is not null)
        .CountBy(sample => sample.Failure!)
        .OrderByDescending(answer => answer.Value)
        .Select(answer => (answer.Key, answer.Value));

    /// <summary>What this command needs to sign for one request, in milliseconds.</summary>
    public double SigningMilliseconds => Requests == 0 ? 0 : Signing.TotalMilliseconds / Requests;

    /// <summary>The part of the time in which this command signed and the server had nothing to do for it, from 0 to 1.</summary>
    public double SigningShare => Requests == 0 ? 0 : Signing / (Elapsed * Parallel);

    /// <param name="warmUp">The requests before, which are not among these.</param>
    public JsonObject ToJson(LoadFigures warmUp) => new()
    {
        ["requests"] = Requests,
        ["failures"] = Failures,
        ["seconds"] = Math.Round(Elapsed.TotalSeconds, 3),
        ["per_second"] = Math.Round(PerSecond, 1),
        ["latency_ms"] = LatencyFigures.Of(Samples.Where(sample => sample.Failure is null).Select(sample => sample.Latency))?.ToJson(),
        ["signing"] = new JsonObject
        {
            ["ms_per_request"] = Math.Round(SigningMilliseconds, 3),
            ["share_of_time"] = Math.Round(SigningShare, 3),
        },
        ["failures_by_answer"] = ByAnswer(),
        ["warm_up"] = new JsonObject
        {
            ["requests"] = warmUp.Requests,
            ["failures"] = warmUp.Failures,
            ["failures_by_answer"] = warmUp.ByAnswer(),
        },
    };

    private JsonObject ByAnswer() => new(FailuresByAnswer.Select(failure => KeyValuePair.Create(failure.Answer, (JsonNode?)failure.Count)));

    private TimeSpan Signing => Samples.Aggregate(TimeSpan.Zero, (sum, sample) => sum + sample.Signing);
}
