using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dcr.Client;

/// <summary>
/// Client metadata (RFC 7591 section 2): what a client says about itself when it registers, and what is registered.
/// A null member is not sent, and the server takes its default; in what is registered it is not there.
/// </summary>
/// <example>
/// <code>
/// var metadata = new ClientMetadata { ClientName = "Warehouse 7", Scope = "read write", Jwks = key.PublicJwkSet };
/// </code>
/// </example>
public sealed record ClientMetadata
{
    /// <summary>How the client proves itself; <c>private_key_jwt</c> is the only way here.</summary>
    [JsonPropertyName("token_endpoint_auth_method")]
    public string? TokenEndpointAuthMethod { get; init; } = "private_key_jwt";

    /// <summary>The one algorithm that assertions will be signed with, such as <c>ES256</c>. Null: any that fits the keys.</summary>
    [JsonPropertyName("token_endpoint_auth_signing_alg")]
    public string? TokenEndpointAuthSigningAlg { get; init; }

    /// <summary>The public keys, by value. Either this or <see cref="JwksUri"/>.</summary>
    [JsonPropertyName("jwks")]
    public PublicJwkSet? Jwks { get; init; }

    /// <summary>
    /// An https URL that serves the public keys, so that they can change without an update. Either this or <see cref="Jwks"/>.
    /// </summary>
    [JsonPropertyName("jwks_uri")]
    public string? JwksUri { get; init; }

    /// <summary>
    /// True: the client's tokens are worth nothing without a proof of the key they are bound to (RFC 9449 section 5.2). Null:
    /// as the registration policy says.
    /// </summary>
    [JsonPropertyName("dpop_bound_access_tokens")]
    public bool? DpopBoundAccessTokens { get; init; }

    /// <summary>The scopes the client may ask for later, space-separated. Null: the default of the registration policy.</summary>
    [JsonPropertyName("scope")]
    public string? Scope { get; init; }

    /// <summary>Null: <c>client_credentials</c>.</summary>
    [JsonPropertyName("grant_types")]
    public IReadOnlyList<string>? GrantTypes { get; init; }

    /// <summary>Only with the grant type <c>authorization_code</c>.</summary>
    [JsonPropertyName("response_types")]
    public IReadOnlyList<string>? ResponseTypes { get; init; }

    /// <summary>Only with the grant type <c>authorization_code</c>.</summary>
    [JsonPropertyName("redirect_uris")]
    public IReadOnlyList<string>? RedirectUris { get; init; }

    /// <summary>For people. In other languages: <c>client_name#ja</c> in <see cref="OtherMembers"/>.</summary>
    [JsonPropertyName("client_name")]
    public string? ClientName { get; init; }

    /// <summary>A page about the client.</summary>
    [JsonPropertyName("client_uri")]
    public string? ClientUri { get; init; }

    /// <summary>Its picture.</summary>
    [JsonPropertyName("logo_uri")]
    public string? LogoUri { get; init; }

    /// <summary>How to reach those responsible, usually mail addresses.</summary>
    [JsonPropertyName("contacts")]
    public IReadOnlyList<string>? Contacts { get; init; }

    /// <summary>A page with the terms of service.</summary>
    [JsonPropertyName("tos_uri")]
    public string? TosUri { get; init; }

    /// <summary>A page that says how data is used.</summary>
    [JsonPropertyName("policy_uri")]
    public string? PolicyUri { get; init; }

    /// <summary>Names the software, the same for every installation of it.</summary>
    [JsonPropertyName("software_id")]
    public string? SoftwareId { get; init; }

    /// <summary>Its version.</summary>
    [JsonPropertyName("software_version")]
    public string? SoftwareVersion { get; init; }

    /// <summary>A JWT in which somebody whom the server trusts vouches for members of this (RFC 7591 section 2.3).</summary>
    [JsonPropertyName("software_statement")]
    public string? SoftwareStatement { get; init; }

    /// <summary>Every member that is not named above.</summary>
    // Settable because the source generator fills extension data afterwards.
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? OtherMembers { get; set; }
}
