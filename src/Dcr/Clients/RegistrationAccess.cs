using System.Text.Json.Serialization;

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

    [JsonPropertyName("previous_valid_until")]
    public DateTimeOffset? PreviousValidUntil { get; init; }
}
