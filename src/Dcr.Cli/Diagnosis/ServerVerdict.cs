using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>What the server itself makes of an assertion, told to an administrator. It decides.</summary>
/// <param name="Answer">As the server gives it. Null: there is no answer.</param>
/// <param name="Failure">Why there is none. Null: there is.</param>
internal sealed record ServerVerdict(JsonObject? Answer, FailureReport? Failure)
{
    public bool Accepted => (bool?)Answer?["accepted"] == true;

    /// <summary>The first that fails. Null: none, or not known.</summary>
    public AssertionRule? Rule => (AssertionRule?)(int?)Answer?["rule"];

    public string Detail => Printable.Of((string?)Answer?["detail"] ?? "the server does not say why");

    /// <summary>Does not use the assertion up.</summary>
    public static async Task<ServerVerdict> AskAsync(AdminApi api, string assertion, CancellationToken cancellationToken)
    {
        try
        {
            return new ServerVerdict(await api.PostAsync("diagnose", new JsonObject { ["client_assertion"] = assertion }, cancellationToken), Failure: null);
        }
        catch (Exception exception) when (exception is DcrException or HttpRequestException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new ServerVerdict(Answer: null, FailureReport.Of(exception, cancellationToken));
        }
    }

    /// <summary>The findings from here where the server says nothing else: it goes through the rules up to the first that fails.</summary>
    public IReadOnlyList<Finding> Overrule(IReadOnlyList<Finding> findings) => Answer is null ? findings : [.. findings.Select(Overrule)];

    private Finding Overrule(Finding seen)
    {
        if (Accepted || seen.Rule < Rule)
        {
            return seen.Outcome == RuleOutcome.Passed ? seen : Finding.Passed(seen.Rule, $"the server accepts it; seen from here: {seen.Detail}");
        }
        return seen.Rule == Rule
            ? seen with { Outcome = RuleOutcome.Failed, Detail = seen.Outcome == RuleOutcome.Failed ? $"{seen.Detail} (the server: {Detail})" : Detail }
            : seen;
    }
}
