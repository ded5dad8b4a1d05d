using System.Text.Json.Serialization;

namespace Dcr.Client;

/// <summary>A key set that the server hosts for a client without a URL of its own.</summary>
public sealed record HostedKeySet
{
    /// <summary>Names the set.</summary>
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    /// <summary>Where it is published: what the client has registered as <see cref="ClientMetadata.JwksUri"/>.</summary>
    [JsonPropertyName("jwks_uri")]
    public required string JwksUri { get; init; }

    /// <summary>Oldest first; also those that are withdrawn, whose <c>kid</c> is never used again.</summary>
    [JsonPropertyName("keys")]
    public required IReadOnlyList<HostedKey> Keys { get; init; }
}

/// <summary>A key of a hosted set.</summary>
public sealed record HostedKey
{
    /// <summary>The name that assertions call it by.</summary>
    [JsonPropertyName("kid")]
    public required string Kid { get; init; }

    /// <summary>The key itself, by its RFC 7638 thumbprint: see <see cref="PublicJwk.Thumbprint"/>.</summary>
    [JsonPropertyName("thumbprint")]
    public required string Thumbprint { get; init; }

    /// <summary>Whether it may be used.</summary>
    [JsonPropertyName("state")]
    public required HostedKeyState State { get; init; }

    /// <summary>When a retiring key ends. Null in every other state.</summary>
    [JsonPropertyName("until")]
    public DateTimeOffset? Until { get; init; }

    /// <summary>By any client that uses the set; accurate to a minute. Null: never, or not within 400 days.</summary>
    [JsonPropertyName("last_used_at")]
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>Another key is active, and this one has not been used for a day.</summary>
    [JsonPropertyName("safe_to_retire")]
    public required bool SafeToRetire { get; init; }
}

/// <summary>The stages of a hosted key.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<HostedKeyState>))]
public enum HostedKeyState
{
    /// <summary>Published, not yet to be used.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending,

    /// <summary>In use, and able to prove changes of the set.</summary>
    [JsonStringEnumMemberName("active")]
    Active,

    /// <summary>In use until its end. Proves no change.</summary>
    [JsonStringEnumMemberName("retiring")]
    Retiring,

    /// <summary>Permanently withdrawn.</summary>
    [JsonStringEnumMemberName("withdrawn")]
    Withdrawn,
}
