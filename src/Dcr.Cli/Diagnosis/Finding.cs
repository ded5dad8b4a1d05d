namespace Dcr.Cli;

/// <summary>The eight rules by which the server authenticates a client, in its order.</summary>
internal enum AssertionRule
{
    Shape = 1,
    Algorithm,
    Client,
    Key,
    Signature,
    Audience,
    Times,
    SingleUse,
}

internal enum RuleOutcome
{
    Passed,
    Failed,

    /// <summary>It cannot be told from here.</summary>
    Unknown,
}

/// <param name="Rule">Which rule.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Detail">Why, in plain words; nothing in it steers a terminal.</param>
/// <param name="Next">What to do about it. Null: nothing, or the detail says it.</param>
internal sealed record Finding(AssertionRule Rule, RuleOutcome Outcome, string Detail, string? Next = null)
{
    public string RuleName => NameOf(Rule);

    /// <summary>As the server calls it.</summary>
    public static string NameOf(AssertionRule rule) => rule switch
    {
        AssertionRule.Shape => "shape",
        AssertionRule.Algorithm => "algorithm",
        AssertionRule.Client => "client",
        AssertionRule.Key => "key",
        AssertionRule.Signature => "signature",
        AssertionRule.Audience => "audience",
        AssertionRule.Times => "times",
        _ => "single_use",
    };

    public static Finding Passed(AssertionRule rule, string detail) => new(rule, RuleOutcome.Passed, detail);

    public static Finding Failed(AssertionRule rule, string detail, string? next = null) => new(rule, RuleOutcome.Failed, detail, next);

    public static Finding Unknown(AssertionRule rule, string detail, string? next = null) => new(rule, RuleOutcome.Unknown, detail, next);
}
