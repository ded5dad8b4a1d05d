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
            var answer = await api.PostAsync("diagnose", new JsonObject { ["client_assertion"] = assertion }, cancellationToken);
            return answer.ContainsKey("accepted")
                ? new ServerVerdict(answer, Failure: null)
                : new ServerVerdict(Answer: null, new FailureReport(ExitCode.Unreachable, "What the server answers is no diagnosis."));
        }
        catch (Exception exception) when (
            exception is DcrException or HttpRequestException
                || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
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
            return seen.Outcome switch
            {
                RuleOutcome.Passed => seen,
                RuleOutcome.Failed => Finding.Passed(seen.Rule, $"the server accepts it, though seen from here: {seen.Detail}"),
                _ => Finding.Passed(seen.Rule, "the server accepts it"),
            };
        }
        if (seen.Rule != Rule)
        {
            return seen;
        }
        return seen.Outcome == RuleOutcome.Failed
            ? seen with { Detail = $"{seen.Detail} (the server: {Detail})" }
            : Finding.Failed(seen.Rule, Detail, NextAfter(seen.Rule));
    }

    // Where nothing is wrong that can be seen from here.
    private string NextAfter(AssertionRule rule) => rule switch
    {
        AssertionRule.Shape => "Send the assertion as a JWT library writes it.",
        AssertionRule.Algorithm => "Sign with an alg that the server takes from this client.",
        AssertionRule.Client => "Is the client_id right? Else the client must be registered, or resumed.",
        AssertionRule.Key => "Sign with a key that the server has for this client, or register the one that signs.",
        AssertionRule.Signature => "Sign with the private half of the key that kid names.",
        AssertionRule.Audience => $"Put the issuer into aud: {Excerpt.Of((string?)Answer?["issuer"])}",
        AssertionRule.Times => "Make a new assertion for each request, by a clock that is right.",
        _ => "Make a new assertion, with a new jti, for each request.",
    };
}
