using System.Text.Json;

namespace Dcr.Jose;

/// <summary>
/// When a DPoP proof is of now (RFC 9449 section 4.3, item 11), by the one rule of the server and of APIs: its <c>iat</c> is at most
/// a minute ago and not in the future, with ten seconds for clocks that differ.
/// </summary>
public static class ProofTimes
{
    /// <summary>How long ago a proof may have been made.</summary>
    public static readonly TimeSpan LongestLife = TimeSpan.FromMinutes(1);

    /// <summary>How far the clocks of the two may differ.</summary>
    public static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(10);

    // The year 5138 in seconds, 1973 in milliseconds: whatever is beyond is no number of seconds.
    private const double FirstMillisecondValue = 1e11;

    /// <summary>Whether a proof that was made then may be taken now.</summary>
    public static bool IsFresh(DateTimeOffset issuedAt, DateTimeOffset now) =>
        issuedAt >= now - LongestLife - ClockSkew && issuedAt <= now + ClockSkew;

    /// <summary>From when on no clock of now or later lets a proof pass that was made then.</summary>
    public static DateTimeOffset EndOf(DateTimeOffset issuedAt) => issuedAt + LongestLife + ClockSkew;

    /// <summary>
    /// A NumericDate (RFC 7519 section 2): a JSON number of seconds, also with a fraction. Null: it is something else, such as a
    /// number of milliseconds.
    /// </summary>
    public static DateTimeOffset? Read(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds is >= 0 and < FirstMillisecondValue
            ? DateTimeOffset.UnixEpoch.AddSeconds(seconds)
            : null;
}
