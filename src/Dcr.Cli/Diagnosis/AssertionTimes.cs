using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>Rule 7: the times of an assertion (RFC 7523 section 3, items 4 to 6) by one clock.</summary>
internal sealed class AssertionTimes(JsonObject claims, KnownFacts known, ICollection<string> warnings)
{
    private const string FormNext = "Write exp, iat and nbf as whole seconds since 1970, such as date +%s gives.";
    private const string FreshNext = "Make a new assertion for each request, good for a minute, and examine it at once.";

    // The year 5138 in seconds; 1973 in milliseconds.
    private const double FirstMillisecondValue = 1e11;

    // In seconds since 1970 this is April 1970; as seconds from now, longer than anybody means.
    private const double LongestLifetime = 1e7;

    private static readonly TimeSpan s_skew = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan s_longestOfFapi = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(5);

    public Finding Examine()
    {
        foreach (var name in new[] { "exp", "iat", "nbf" })
        {
            if (FormFault(name) is { } fault)
            {
                return Failed(fault, FormNext);
            }
        }
        if (Time("exp") is not { } exp)
        {
            return Failed("exp is missing", "Put exp into the claims: now and 60 s, in seconds since 1970.");
        }
        return ExpiryFault(exp) ?? FutureFault("iat") ?? FutureFault("nbf") ?? Passed(exp);
    }

    private Finding? ExpiryFault(DateTimeOffset exp)
    {
        var left = exp - known.Now;
        if (left <= -s_skew)
        {
            var life = Time("iat") is { } iat && iat < exp
                ? $"; it was made {Ago(iat)} to last {TimeText.Seconds(exp - iat)}, if the clock of whoever signed is right"
                : "";
            return Failed($"exp has passed: {TimeText.Seconds(left)} ago by {known.Clock}{life}", FreshNext);
        }
        if (left > s_longest + s_skew)
        {
            return Failed(
                $"exp is {TimeText.Seconds(left)} ahead by {known.Clock}; at most {TimeText.Seconds(s_longest)} are accepted, unless an "
                    + "administrator has set an exception",
                "Let exp be a minute ahead.");
        }
        if (left > s_longestOfFapi + s_skew)
        {
            warnings.Add(
                $"exp is {TimeText.Seconds(left)} ahead; a server under FAPI 2.0 accepts {TimeText.Seconds(s_longestOfFapi)} at most.");
        }
        if (left <= s_soon)
        {
            warnings.Add(left < TimeSpan.Zero
                ? $"exp has passed {TimeText.Seconds(left)} ago by {known.Clock}; up to {TimeText.Seconds(s_skew)} are forgiven."
                : $"exp is only {TimeText.Seconds(left)} ahead by {known.Clock}: on a slow network the assertion is late.");
        }
        return null;
    }

    private Finding? FutureFault(string name)
    {
        if (Time(name) is not { } time || time - known.Now <= s_soon)
        {
            return null;
        }
        var ahead = TimeText.Seconds(time - known.Now);
        var why = $"{name} is {ahead} in the future: the clock of whoever signed is {ahead} ahead of "
            + $"{(known.Server?.Ahead is null ? "the one here" : "the server's")}";
        if (time - known.Now > s_skew)
        {
            return Failed($"{why}; up to {TimeText.Seconds(s_skew)} are forgiven", "Set the clock where assertions are signed (NTP).");
        }
        warnings.Add($"{why}; more than {TimeText.Seconds(s_skew)} are refused.");
        return null;
    }

    private Finding Passed(DateTimeOffset exp) => Finding.Passed(
        AssertionRule.Times,
        exp > known.Now
            ? $"exp is {TimeText.Seconds(exp - known.Now)} ahead by {known.Clock}"
            : $"exp has passed {TimeText.Seconds(exp - known.Now)} ago by {known.Clock}, which is forgiven");

    private string? FormFault(string name)
    {
        // What is null is as good as absent.
        if (!claims.TryGetPropertyValue(name, out var value) || value is null)
        {
            return null;
        }
        return Number(value) switch
        {
            null =>
                value.GetValueKind() == JsonValueKind.String
                    ? $"{name} is a string; times are numbers, in seconds since 1970"
                    : $"{name} is not a time; times are numbers, in seconds since 1970",
            < 0 => $"{name} is negative; times are seconds since 1970",
            >= FirstMillisecondValue => $"{name} is in milliseconds; times are seconds since 1970",
            < LongestLifetime and var seconds when name == "exp" =>
                $"{name} is {seconds:0}: that is a span and not a time; times are seconds since 1970",
            _ => null,
        };
    }

    private DateTimeOffset? Time(string name) => Number(claims[name]) is { } seconds ? DateTimeOffset.UnixEpoch.AddSeconds(seconds) : null;

    private static double? Number(JsonNode? value) =>
        value is not null
            && value.GetValueKind() == JsonValueKind.Number
            && value.AsValue().TryGetValue<double>(out var number)
            && double.IsFinite(number)
            ? number
            : null;

    private string Ago(DateTimeOffset time) => time > known.Now ? "in the future" : $"{TimeText.Seconds(known.Now - time)} ago";

    private static Finding Failed(string detail, string next) => Finding.Failed(AssertionRule.Times, detail, next);
}
