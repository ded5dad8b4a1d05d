using System.Globalization;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>The figures of <c>dcr bench</c>, as a table for people.</summary>
internal static class BenchReport
{
    private static readonly string[] s_phases = ["registration", "token"];

    private static readonly string[] s_columns =
    [
        "phase", "figures.requests", "figures.failures", "figures.per_second",
        "figures.latency_ms.p50", "figures.latency_ms.p90", "figures.latency_ms.p99", "figures.latency_ms.p99_9", "figures.latency_ms.max",
    ];

    /// <param name="terminal">Where to.</param>
    /// <param name="result">As it is with <c>--json</c>: a member for each phase that there was, and what goes with it.</param>
    public static void Show(Terminal terminal, JsonObject result)
    {
        if (terminal.IsJson)
        {
            terminal.Show(result);
            return;
        }
        var phases = s_phases.Where(name => result[name] is not null)
            .Select(name => (Name: name, Figures: result[name]!.AsObject()))
            .ToList();
        terminal.ShowTable(
            [.. phases.Select(phase => new JsonObject { ["phase"] = phase.Name, ["figures"] = phase.Figures.DeepClone() })], s_columns);
        foreach (var (name, figures) in phases)
        {
            var failures = figures["failures_by_answer"]!.AsObject().Concat(figures["warm_up"]!["failures_by_answer"]!.AsObject());
            foreach (var (answer, count) in failures)
            {
                terminal.Warn($"{name}: {count} times {answer}");
            }
        }
        terminal.Note(
            $"p50 to max: milliseconds from a request to its answer, with {result["parallel"]} under way at once, after a warm-up.");
        if (result["token"]?["signing"] is { } signing)
        {
            terminal.Note(string.Create(
                CultureInfo.InvariantCulture,
                $"Not in those: {signing["ms_per_request"]} ms in which this command signs the assertion of a token request, "
                    + $"{signing["share_of_time"]!.GetValue<double>() * 100:F0} % of its time."));
        }
        if (result["cleared"] is { } cleared)
        {
            terminal.Note(
                $"Cleared away: {result["onboarding_client"]} is deleted, and the {cleared["revoked"]} clients that came by it are "
                    + "revoked.");
        }
    }
}
