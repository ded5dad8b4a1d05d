using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dcr.Registration;

/// <summary>What an onboarding client may register. A member that is left out has the default it documents.</summary>
public sealed record RegistrationPolicy
{
    /// <summary>Null: one use, five minutes.</summary>
    [JsonPropertyName("initial_access_token")]
    public InitialAccessTokenPolicy? InitialAccessToken { get; init; }

    /// <summary>Null: nothing may be registered.</summary>
    [JsonPropertyName("scope")]
    public ScopePolicy? Scope { get; init; }

    /// <summary>While a policy is read: the members that this version does not enforce, and so must refuse.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? NotInForce { get; set; }
}

// Setters, not init: the source-generated reader keeps a default only where a member can be left alone.
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record InitialAccessTokenPolicy
{
    public static readonly InitialAccessTokenPolicy Default = new();

    /// <summary>How many clients one token makes. Default 1.</summary>
    [JsonPropertyName("uses")]
    public int Uses { get; set; } = 1;

    /// <summary>Seconds. Default 300.</summary>
    [JsonPropertyName("lifetime_seconds")]
    public int LifetimeSeconds { get; set; } = 300;
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ScopePolicy
{
    /// <summary>The ceiling: every scope a registered client may have. Empty: none.</summary>
    [JsonPropertyName("allowed")]
    public IReadOnlyList<string> Allowed { get; set; } = [];

    /// <summary>What a client gets that asks for no scope. Empty: it must ask.</summary>
    [JsonPropertyName("default")]
    public IReadOnlyList<string> Default { get; set; } = [];
}
