using System.Text.Json;

namespace Dcr.Jose;

/// <summary>
/// A NumericDate (RFC 7519 section 2): seconds since 1970, perhaps with a fraction. A value in milliseconds is a
/// common mistake and is told apart, so that the caller can be told.
/// </summary>
internal readonly record struct JwtTime(JwtTimeKind Kind, DateTimeOffset At)
{
    // The year 5138 in seconds; 1973 in milliseconds.
    private const double FirstMillisecondValue = 1e11;

    public static JwtTime Read(JsonElement claims, string name)
    {
        // Null is absent: some libraries write every claim they know.
        if (!claims.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return new JwtTime(JwtTimeKind.Absent, default);
        }
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var seconds) || !double.IsFinite(seconds) || seconds < 0)
        {
            return new JwtTime(JwtTimeKind.NotATime, default);
        }
        return seconds >= FirstMillisecondValue
            ? new JwtTime(JwtTimeKind.Milliseconds, default)
            : new JwtTime(JwtTimeKind.Seconds, DateTimeOffset.UnixEpoch.AddSeconds(seconds));
    }
}

internal enum JwtTimeKind
{
    Absent,
    Seconds,
    Milliseconds,

    /// <summary>A string, a negative number, or one too large to be anything.</summary>
    NotATime,
}
