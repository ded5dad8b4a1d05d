using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dcr.Jose;

/// <summary>A JWK Set as it stands on the wire (RFC 7517 section 5); <see cref="PublicKeySet"/> reads the keys in it.</summary>
public sealed record JwkSet
{
    /// <summary>The keys as they were sent, read by nobody yet.</summary>
    [JsonPropertyName("keys")]
    public required IReadOnlyList<JsonElement> Keys { get; init; }
}
