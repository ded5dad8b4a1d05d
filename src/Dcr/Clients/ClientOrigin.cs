using System.Text.Json.Serialization;

namespace Dcr.Clients;

/// <summary>Where a client came from: the onboarding client, the key it proved itself with, and the initial access token.</summary>
public sealed record ClientOrigin
{
    [JsonPropertyName("onboarding_client")]
    public required string OnboardingClient { get; init; }

    /// <summary>
    /// Which client of that name: what is deleted and made again under the same name rules nothing of before. Null: it was registered
    /// before this server gave incarnations.
    /// </summary>
    [JsonPropertyName("onboarding_client_incarnation")]
    public string? OnboardingClientIncarnation { get; init; }

    /// <summary>The <c>kid</c> of the key that the onboarding client's assertion was signed with. Null: that key has none.</summary>
    [JsonPropertyName("kid")]
    public string? Kid { get; init; }

    /// <summary>RFC 7638 SHA-256 thumbprint of that key, base64url.</summary>
    [JsonPropertyName("thumbprint")]
    public required string Thumbprint { get; init; }

    /// <summary>The <c>jti</c> of the initial access token the client was registered with.</summary>
    [JsonPropertyName("initial_token_jti")]
    public required string InitialTokenJti { get; init; }

    /// <summary>
    /// Who vouched for the client's key, where the initial access token was asked for by attestation: then kid and thumbprint are the
    /// attester's.
    /// </summary>
    [JsonPropertyName("attester")]
    public string? Attester { get; init; }

    /// <summary>The software statement the client was registered with, or the last one it updated itself with. Null: none.</summary>
    [JsonPropertyName("software_statement")]
    public StatementOrigin? SoftwareStatement { get; init; }
}

/// <summary>Whose software statement it is, and about which software.</summary>
public sealed record StatementOrigin
{
    /// <summary>The statement's <c>iss</c>.</summary>
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    [JsonPropertyName("software_id")]
    public string? SoftwareId { get; init; }
}
