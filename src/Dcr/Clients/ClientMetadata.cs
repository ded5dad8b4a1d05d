using System.Text.Json;
using System.Text.Json.Serialization;
using Dcr.Jose;

namespace Dcr.Clients;

/// <summary>
/// Client metadata of RFC 7591 section 2, plus <c>token_endpoint_auth_signing_alg</c> (OpenID Connect Dynamic Client
/// Registration 1.0 section 2). A null member was not sent, or is not registered.
/// </summary>
public record ClientMetadata
{
    [JsonPropertyName("redirect_uris")]
    public IReadOnlyList<string>? RedirectUris { get; init; }

    /// <summary>Always <c>private_key_jwt</c> here; absent in a request means the RFC's default, which is refused.</summary>
    [JsonPropertyName("token_endpoint_auth_method")]
    public string? TokenEndpointAuthMethod { get; init; }

    /// <summary>The one JWS algorithm the client's assertions use. Null: any the server supports and the key fits.</summary>
    [JsonPropertyName("token_endpoint_auth_signing_alg")]
    public string? TokenEndpointAuthSigningAlg { get; init; }

    [JsonPropertyName("grant_types")]
    public IReadOnlyList<string>? GrantTypes { get; init; }

    [JsonPropertyName("response_types")]
    public IReadOnlyList<string>? ResponseTypes { get; init; }

    [JsonPropertyName("client_name")]
    public string? ClientName { get; init; }

    [JsonPropertyName("client_uri")]
    public string? ClientUri { get; init; }

    [JsonPropertyName("logo_uri")]
    public string? LogoUri { get; init; }

    /// <summary>Space-separated scope tokens (RFC 6749 section 3.3).</summary>
    [JsonPropertyName("scope")]
    public string? Scope { get; init; }

    [JsonPropertyName("contacts")]
    public IReadOnlyList<string>? Contacts { get; init; }

    [JsonPropertyName("tos_uri")]
    public string? TosUri { get; init; }

    [JsonPropertyName("policy_uri")]
    public string? PolicyUri { get; init; }

    [JsonPropertyName("jwks_uri")]
    public string? JwksUri { get; init; }

    [JsonPropertyName("jwks")]
    public JwkSet? Jwks { get; init; }

    [JsonPropertyName("software_id")]
    public string? SoftwareId { get; init; }

    [JsonPropertyName("software_version")]
    public string? SoftwareVersion { get; init; }

    [JsonPropertyName("software_statement")]
    public string? SoftwareStatement { get; init; }

    /// <summary>
    /// The APIs that the client may ask tokens for, as <c>resource</c> of RFC 8707. A member of this server's own. Null: the default
    /// audience only.
    /// </summary>
    [JsonPropertyName("resources")]
    public IReadOnlyList<string>? Resources { get; init; }

    /// <summary>
    /// True: the client's access tokens are bound to a key by DPoP, and so is the use of its registration access token (RFC 9449 section
    /// 5.2). Null: false.
    /// </summary>
    [JsonPropertyName("dpop_bound_access_tokens")]
    public bool? DpopBoundAccessTokens { get; init; }

    /// <summary>
    /// In a request: every member not named above. Once registered: the language-tagged forms of the human-readable
    /// members (RFC 7591 section 2.2), such as <c>client_name#ja</c>, and nothing else.
    /// </summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; set; }
}
