using System.Text.Json.Serialization;

namespace Dcr.Clients;

/// <summary>How long a client lives, from the policy it was registered under; a later policy changes nothing of it.</summary>
public sealed record ClientLifecycle
{
    /// <summary>How long a client that has expired is kept, so that it can be resumed.</summary>
    public static readonly TimeSpan KeptExpired = TimeSpan.FromDays(30);

    /// <summary>
    /// How far the recorded last use may lag behind: a busy client costs one write in that time. A client is given that much longer before
    /// it counts as idle.
    /// </summary>
    public static readonly TimeSpan LastUseAccuracy = TimeSpan.FromHours(1);

    public static readonly ClientLifecycle Endless = new();

    /// <summary>How long the client lives, used or not. Null: for ever.</summary>
    [JsonPropertyName("lifetime")]
    public TimeSpan? Lifetime { get; init; }

    /// <summary>How long the client may go unused. Null: for ever.</summary>
    [JsonPropertyName("idle_lifetime")]
    public TimeSpan? IdleLifetime { get; init; }

    /// <summary>When the client was registered, or resumed since: not being used is counted from here at the earliest.</summary>
    [JsonPropertyName("begun_at")]
    public DateTimeOffset? BegunAt { get; init; }

    /// <summary>When the client expires, used or not. Null: never.</summary>
    [JsonPropertyName("expires_at")]
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Since when the client has been expired. Null: it is not.</summary>
    [JsonPropertyName("expired_at")]
    public DateTimeOffset? ExpiredAt { get; init; }

    /// <summary>
    /// When the reaper looks at the client next: not before this can it have expired, or be removed. Null: never. It is
    /// found by this, so nothing has to be written when a client is used. Stores keep it apart: it is what they index.
    /// </summary>
    [JsonIgnore]
    public DateTimeOffset? ReviewAt { get; init; }

    /// <summary>Of a client that begins to live.</summary>
    public static ClientLifecycle From(DateTimeOffset now, TimeSpan? lifetime, TimeSpan? idleLifetime)
    {
        var begun = new ClientLifecycle { Lifetime = lifetime, IdleLifetime = idleLifetime, BegunAt = now, ExpiresAt = now + lifetime };
        return begun with { ReviewAt = begun.EndsAt(lastUsedAt: null) };
    }

    /// <summary>Of a client that had expired and begins to live again.</summary>
    public ClientLifecycle Again(DateTimeOffset now) => From(now, Lifetime, IdleLifetime);

    /// <summary>Of a client that could not be used for a while: that is not held against it.</summary>
    public ClientLifecycle Resumed(DateTimeOffset now) => ExpiresAt <= now ? Again(now) : ReviewedAfterUse(now) with { BegunAt = now };

    public ClientLifecycle Expired(DateTimeOffset now) => this with { ExpiredAt = now, ReviewAt = now + KeptExpired };

    /// <summary>When the client expires if it is not used again. Null: never.</summary>
    public DateTimeOffset? EndsAt(DateTimeOffset? lastUsedAt) =>
        Earlier(ExpiresAt, Later(BegunAt, lastUsedAt) + IdleLifetime + LastUseAccuracy);

    /// <summary>The next review is when the last use will be too long ago.</summary>
    public ClientLifecycle ReviewedAfterUse(DateTimeOffset? lastUsedAt) => this with { ReviewAt = EndsAt(lastUsedAt) };

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) =>
        one is null ? other : other is null || one < other ? one : other;

    private static DateTimeOffset? Later(DateTimeOffset? one, DateTimeOffset? other) =>
        one is null ? other : other is null || one > other ? one : other;
}
