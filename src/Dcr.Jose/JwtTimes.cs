using System.Globalization;

namespace Dcr.Jose;

/// <summary>When a JWT that a client signed is good: RFC 7523 section 3, items 4 to 6.</summary>
internal static class JwtTimes
{
    public static readonly TimeSpan ClockSkew = ProofTimes.ClockSkew;

    /// <summary>Null when the times are in order. For a caller that has proved a key: it says how far the clocks differ.</summary>
    /// <param name="jwt">Whose times.</param>
    /// <param name="now">By this server's clock.</param>
    /// <param name="longestLife">How far ahead <c>exp</c> may be. Null: it may be left out, or be at any distance.</param>
    public static string? Fault(SignedJwt jwt, DateTimeOffset now, TimeSpan? longestLife)
    {
        if ((FormFault("exp", jwt.Expires) ?? FormFault("iat", jwt.IssuedAt) ?? FormFault("nbf", jwt.NotBefore)) is { } fault)
        {
            return fault;
        }
        if (jwt.Expires.Kind == JwtTimeKind.Absent && longestLife is not null)
        {
            return "exp is missing.";
        }
        if (jwt.Expires.Kind == JwtTimeKind.Seconds && jwt.Expires.At <= now - ClockSkew)
        {
            return $"exp has passed: it expired {Seconds(now - jwt.Expires.At)} s ago by this server's clock.";
        }
        if (longestLife is { } longest && jwt.Expires.At > now + longest + ClockSkew)
        {
            return $"exp is {Seconds(jwt.Expires.At - now)} s ahead; at most {Seconds(longest)} s are accepted.";
        }
        return FutureFault("iat", jwt.IssuedAt, now) ?? FutureFault("nbf", jwt.NotBefore, now);
    }

    /// <summary>For a proof of possession, which is made for one request: <c>iat</c> is needed and recent.</summary>
    public static string? FreshnessFault(SignedJwt jwt, DateTimeOffset now, TimeSpan longestLife)
    {
        if (jwt.IssuedAt.Kind == JwtTimeKind.Absent)
        {
            return "iat is missing.";
        }
        return jwt.IssuedAt.Kind == JwtTimeKind.Seconds && jwt.IssuedAt.At < now - longestLife - ClockSkew
            ? $"iat is {Seconds(now - jwt.IssuedAt.At)} s ago by this server's clock; a proof is good for {Seconds(longestLife)} s."
            : Fault(jwt, now, longestLife: null);
    }

    private static string? FormFault(string claim, JwtTime value) => value.Kind switch
    {
        JwtTimeKind.Milliseconds => $"{claim} looks like milliseconds; times are seconds since 1970 (RFC 7519 section 2).",
        JwtTimeKind.NotATime => $"{claim} is not a time; times are numbers, in seconds since 1970 (RFC 7519 section 2).",
        _ => null,
    };

    private static string? FutureFault(string claim, JwtTime value, DateTimeOffset now) =>
        value.Kind == JwtTimeKind.Seconds && value.At > now + ClockSkew
            ? $"{claim} is {Seconds(value.At - now)} s in the future by this server's clock; at most {Seconds(ClockSkew)} s are accepted."
            : null;

    private static string Seconds(TimeSpan span) => ((long)span.TotalSeconds).ToString(CultureInfo.InvariantCulture);
}
