using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>What came of an examination.</summary>
internal sealed record Diagnosis
{
    /// <summary>One for each rule, in their order; the server's word where it was asked.</summary>
    public required IReadOnlyList<Finding> Findings { get; init; }

    public required IReadOnlyList<string> Warnings { get; init; }

    public required KnownFacts Known { get; init; }

    /// <summary>Null: it was not asked for.</summary>
    public ServerVerdict? Verdict { get; init; }

    /// <summary>What the client itself asked. Null: nothing was asked.</summary>
    public ServerQuestion? Question { get; init; }

    /// <summary>Nothing is wrong that is seen from here, and the server refuses all the same.</summary>
    public bool IsServerAlone { get; init; }

    /// <summary>This command as it was typed, but for the file and the administrator.</summary>
    public string CommandLine { get; init; } = "dcr doctor";

    public IReadOnlyList<Finding> Failed => [.. Findings.Where(finding => finding.Outcome == RuleOutcome.Failed)];

    public IReadOnlyList<Finding> Unknown => [.. Findings.Where(finding => finding.Outcome == RuleOutcome.Unknown)];

    /// <summary>
    /// What the server would say, as far as it is known. Only its own word is an acceptance: whether a key is quarantined is seen nowhere
    /// else.
    /// </summary>
    public string Conclusion => this switch
    {
        { Failed.Count: > 0 } => "refused",
        { Verdict.Answer: not null } => Verdict.Accepted ? "accepted" : "refused",
        { Question.Accepted: false } => "refused",
        // The server has said so of a new assertion like this one; of one that may have been used before only an administrator learns more.
        { Question.Accepted: true, Known.IsNew: true } => "accepted",
        _ => "unknown",
    };

    /// <summary>Not as it should be, where a rule fails; and where the server's word was wanted and cannot be had, why that is.</summary>
    public int ExitCode => Conclusion == "refused" ? Cli.ExitCode.Unhealthy : Verdict?.Failure?.ExitCode ?? Cli.ExitCode.Success;

    public JsonObject ToJson() => new()
    {
        ["verdict"] = Conclusion,
        ["rules"] = new JsonArray([.. Findings.Select(finding => new JsonObject
        {
            ["rule"] = (int)finding.Rule,
            ["name"] = finding.RuleName,
            ["outcome"] = NameOf(finding.Outcome),
            ["detail"] = finding.Detail,
            ["next"] = finding.Next,
        })]),
        ["warnings"] = new JsonArray([.. Warnings.Select(warning => JsonValue.Create(warning))]),
        ["server"] = Known.Server?.ToJson(),
        ["clock"] = new JsonObject
        {
            ["judged_by"] = Known.Server?.Ahead is null ? "local" : "server",
            ["now"] = Known.Now.UtcDateTime.ToString("O"),
            ["server_ahead_seconds"] = Known.Server?.Ahead is { } ahead ? Math.Round(ahead.TotalSeconds) : null,
        },
        ["published_keys"] = Known.Published?.ToJson(),
        ["server_view"] = Verdict?.Answer?.DeepClone() ?? Question?.ToJson(),
    };

    public static string NameOf(RuleOutcome outcome) => outcome switch
    {
        RuleOutcome.Passed => "passed",
        RuleOutcome.Failed => "failed",
        _ => "unknown",
    };
}
