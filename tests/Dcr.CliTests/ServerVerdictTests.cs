using System.Text.Json.Nodes;
using Dcr.Cli;
using Xunit;

namespace Dcr.CliTests;

/// <summary>The word of the server beside what can be seen from here: it decides.</summary>
[Requirement("P-CLI-DOCTOR")]
public sealed class ServerVerdictTests
{
    private static readonly IReadOnlyList<Finding> s_seen =
    [
        Finding.Passed(AssertionRule.Client, "iss and sub are both partner"),
        Finding.Failed(AssertionRule.Key, "kid is k2, and your key is k1", "Was another key meant?"),
        Finding.Unknown(AssertionRule.Audience, "aud is the token endpoint"),
        Finding.Failed(AssertionRule.Times, "exp is missing"),
    ];

    [Fact]
    public void Accepts_what_the_server_accepts_and_keeps_what_was_seen()
    {
        var findings = Verdict(new JsonObject { ["accepted"] = true }).Overrule(s_seen);
        Assert.All(findings, finding => Assert.Equal(RuleOutcome.Passed, finding.Outcome));
        Assert.Equal(
            ["iss and sub are both partner", "the server accepts it, though seen from here: kid is k2, and your key is k1", "the server accepts it", "the server accepts it, though seen from here: exp is missing"],
            findings.Select(finding => finding.Detail));
    }

    [Fact]
    public void Rejects_by_the_rule_that_the_server_names_and_accepts_those_before_it()
    {
        var findings = Verdict(new JsonObject { ["accepted"] = false, ["rule"] = 6, ["detail"] = "aud must be the issuer", ["issuer"] = "https://as.example" }).Overrule(s_seen);
        Assert.Equal([RuleOutcome.Passed, RuleOutcome.Passed, RuleOutcome.Failed, RuleOutcome.Failed], findings.Select(finding => finding.Outcome));
        Assert.Equal(("aud must be the issuer", "Put the issuer into aud: https://as.example"), (findings[2].Detail, findings[2].Next));
        Assert.Equal("exp is missing", findings[3].Detail);
    }

    [Fact]
    public void Says_what_was_seen_and_what_the_server_says_of_the_same_rule()
    {
        var findings = Verdict(new JsonObject { ["accepted"] = false, ["rule"] = 4, ["detail"] = "no key has kid k2" }).Overrule(s_seen);
        Assert.Equal("kid is k2, and your key is k1 (the server: no key has kid k2)", findings[1].Detail);
        Assert.Equal(RuleOutcome.Unknown, findings[2].Outcome);
    }

    [Fact]
    public void Leaves_what_was_seen_when_the_server_does_not_answer()
    {
        Assert.Equal(s_seen, new ServerVerdict(Answer: null, new FailureReport(ExitCode.Unreachable, "away")).Overrule(s_seen));
    }

    private static ServerVerdict Verdict(JsonObject answer) => new(answer, Failure: null);
}
