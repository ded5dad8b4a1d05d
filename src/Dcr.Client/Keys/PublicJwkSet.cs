using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dcr.Client;

/// <summary>
/// A JWK Set (RFC 7517 section 5) of public keys: what to register as <see cref="ClientMetadata.Jwks"/>, or to serve as
/// <c>application/jwk-set+json</c> at a <see cref="ClientMetadata.JwksUri"/>.
/// </summary>
/// <example>While keys change, both are in the set:
/// <code>
/// var jwks = new PublicJwkSet(oldKey.PublicJwk, newKey.PublicJwk);
/// </code>
/// </example>
public sealed record PublicJwkSet
{
    /// <summary>A set of these keys.</summary>
    public PublicJwkSet(params IReadOnlyList<PublicJwk> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        Keys = keys;
    }

    /// <summary>The keys.</summary>
    [JsonPropertyName("keys")]
    public IReadOnlyList<PublicJwk> Keys { get; }

    /// <summary>As JSON, to be shown to anybody.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, DcrClientJson.Default.PublicJwkSet);
}
