using System.Text.Json.Serialization;
using Dcr.Protocol;

namespace Dcr.Clients;

/// <summary>
/// Hashes of the registration access tokens that manage one client. An update hands out a new token; the one it was
/// asked with stays valid until the new one is first used or <see cref="PreviousValidUntil"/> has come, so that a
/// lost answer strands nobody.
/// </summary>
public sealed record RegistrationAccess
{
    /// <summary>SHA-256 of the current token, base64url.</summary>
    [JsonPropertyName("token_hash")]
    public required string TokenHash { get; init; }

    /// <summary>SHA-256 of the token before it, base64url. Null: there is none, or the current one has been used.</summary>
    [JsonPropertyName("previous_token_hash")]
    public string? PreviousTokenHash { get; init; }

    /// <summary>The end of <see cref="PreviousLife"/>.</summary>
    [JsonPropertyName("previous_valid_until")]
    public DateTimeOffset? PreviousValidUntil { get; init; }

    /// <summary>For how long a token that was replaced is still taken.</summary>
    public static TimeSpan PreviousLife { get; } = TimeSpan.FromHours(1);

    /// <summary>
    /// True: the update that replaced the previous token changed the client's keys, so that token alone changes nothing more.
    /// </summary>
    [JsonPropertyName("previous_changed_keys")]
    public bool PreviousChangedKeys { get; init; }

    /// <summary>The token with this hash is the current one, or the one before it within its hour.</summary>
    public bool Accepts(string tokenHash, DateTimeOffset now) => OpaqueSecret.IsSame(tokenHash, TokenHash) || IsPrevious(tokenHash, now);

    /// <summary>The token with this hash has been replaced, and is taken until the new one is first used or the hour is over.</summary>
    public bool IsPrevious(string tokenHash, DateTimeOffset now) =>
        PreviousValidUntil is { } until && Lately.Holds(until, PreviousLife, now) && OpaqueSecret.IsSame(tokenHash, PreviousTokenHash);
}
