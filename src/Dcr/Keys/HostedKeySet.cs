using System.Text.Json;
using System.Text.Json.Serialization;
using Dcr.Protocol;

namespace Dcr.Keys;

/// <summary>A JWK Set that this server hosts for a client without a URL of its own.</summary>
public sealed record HostedKeySet
{
    /// <summary>128 random bits as 32 hexadecimal digits.</summary>
    public required string Id { get; init; }

    /// <summary>1 when made, one more with each change.</summary>
    public required long Version { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Also those withdrawn, so that no <c>kid</c> is ever used again.</summary>
    public IReadOnlyList<HostedKey> Keys { get; init; } = [];
}

/// <summary>A key of a hosted set.</summary>
public sealed record HostedKey
{
    [JsonPropertyName("kid")]
    public required string Kid { get; init; }

    /// <summary>RFC 7638, SHA-256, base64url.</summary>
    [JsonPropertyName("thumbprint")]
    public required string Thumbprint { get; init; }

    /// <summary>Null once the key is withdrawn.</summary>
    [JsonPropertyName("jwk")]
    public JsonElement? Jwk { get; init; }

    [JsonPropertyName("stage")]
    public required HostedKeyState Stage { get; init; }

    /// <summary>When a retiring key ends. Null in every other stage.</summary>
    [JsonPropertyName("until")]
    public DateTimeOffset? Until { get; init; }

    /// <summary>When it came to its stage.</summary>
    [JsonPropertyName("since")]
    public required DateTimeOffset Since { get; init; }

    /// <summary>The stage now: a retiring key ends on its own.</summary>
    public HostedKeyState StateAt(DateTimeOffset now) =>
        Stage == HostedKeyState.Retiring && Until <= now ? HostedKeyState.Withdrawn : Stage;

    public bool IsPublished(DateTimeOffset now) => StateAt(now) != HostedKeyState.Withdrawn;

    public bool IsUsable(DateTimeOffset now) => StateAt(now) is HostedKeyState.Active or HostedKeyState.Retiring;
}

[JsonConverter(typeof(WireEnumConverter<HostedKeyState>))]
public enum HostedKeyState
{
    /// <summary>Published, not yet to be used.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending,

    [JsonStringEnumMemberName("active")]
    Active,

    /// <summary>Published and good until its end.</summary>
    [JsonStringEnumMemberName("retiring")]
    Retiring,

    /// <summary>Not published, and refused.</summary>
    [JsonStringEnumMemberName("withdrawn")]
    Withdrawn,
}
