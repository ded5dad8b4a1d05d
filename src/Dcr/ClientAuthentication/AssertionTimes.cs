using System.Globalization;

namespace Dcr.ClientAuthentication;

/// <summary>When a JWT that a client signed is good: RFC 7523 section 3, items 4 to 6.</summary>
internal static class AssertionTimes
{
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(10);

    /// <summary>Null when the times are in order. For a caller that has proved a key: it says how far the clocks differ.</summary>
    public static string? Fault(ClientAssertion assertion, DateTimeOffset now, TimeSpan longestLife)
    {
        if ((FormFault("exp", assertion.Expires) ?? FormFault("iat", assertion.IssuedAt) ?? FormFault("nbf", assertion.NotBefore)) is { } fault)
        {
            return fault;
        }
        if (assertion.Expires.Kind == AssertionTimeKind.Absent)
        {
            return "exp is missing.";
        }
        if (assertion.Expires.At <= now - ClockSkew)
        {
            return $"exp has passed: the assertion expired {Seconds(now - assertion.Expires.At)} s ago by this server's clock.";
        }
        if (assertion.Expires.At > now + longestLife + ClockSkew)
        {
            return $"exp is {Seconds(assertion.Expires.At - now)} s ahead; at most {Seconds(longestLife)} s are accepted.";
        }
        return FutureFault("iat", assertion.IssuedAt, now) ?? FutureFault("nbf", assertion.NotBefore, now);
    }

    private static string? FormFault(string claim, AssertionTime value) => value.Kind switch
    {
        AssertionTimeKind.Milliseconds => $"{claim} looks like milliseconds; times are seconds since 1970 (RFC 7519 section 2).",
        AssertionTimeKind.NotATime => $"{claim} is not a time; times are numbers, in seconds since 1970 (RFC 7519 section 2).",
        _ => null,
    };

    private static string? FutureFault(string claim, AssertionTime value, DateTimeOffset now) =>
        value.Kind == AssertionTimeKind.Seconds && value.At > now + ClockSkew
            ? $"{claim} is {Seconds(value.At - now)} s in the future by this server's clock; at most {Seconds(ClockSkew)} s are accepted."
            : null;

    private static string Seconds(TimeSpan span) => ((long)span.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
