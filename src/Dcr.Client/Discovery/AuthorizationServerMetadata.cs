using System.Text.Json.Serialization;

namespace Dcr.Client;

/// <summary>What a server says about itself (RFC 8414 section 2): the members that matter here.</summary>
public sealed record AuthorizationServerMetadata
{
    /// <summary>The issuer identifier; equal, character by character, to the one that was asked for.</summary>
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    /// <summary>Where access tokens are asked for.</summary>
    [JsonPropertyName("token_endpoint")]
    public required Uri TokenEndpoint { get; init; }

    /// <summary>Where clients register (RFC 7591). Null: this server does not register clients.</summary>
    [JsonPropertyName("registration_endpoint")]
    public Uri? RegistrationEndpoint { get; init; }

    /// <summary>The server's own public keys. Null: it has none.</summary>
    [JsonPropertyName("jwks_uri")]
    public Uri? JwksUri { get; init; }

    /// <summary>Null: not said.</summary>
    [JsonPropertyName("scopes_supported")]
    public IReadOnlyList<string>? ScopesSupported { get; init; }

    /// <summary>The algorithms that assertions may be signed with. Null: not said.</summary>
    [JsonPropertyName("token_endpoint_auth_signing_alg_values_supported")]
    public IReadOnlyList<string>? TokenEndpointAuthSigningAlgValuesSupported { get; init; }

    /// <summary>The algorithms that DPoP proofs may be signed with (RFC 9449 section 5.1). Null: not said.</summary>
    [JsonPropertyName("dpop_signing_alg_values_supported")]
    public IReadOnlyList<string>? DpopSigningAlgValuesSupported { get; init; }
}
