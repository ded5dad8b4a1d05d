using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dcr.Keys;

/// <summary>A JWK Set as it stands on the wire (RFC 7517 section 5); <see cref="ClientKeySet"/> reads the keys in it.</summary>
public sealed record JwkSet
{
    [JsonPropertyName("keys")]
    public required IReadOnlyList<JsonElement> Keys { get; init; }
}
