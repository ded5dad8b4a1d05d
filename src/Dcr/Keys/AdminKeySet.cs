using System.Text.Json.Serialization;
using Dcr.Protocol;

namespace Dcr.Keys;

/// <summary>A hosted key set as administrators see it.</summary>
public sealed record AdminKeySet
{
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    /// <summary>What a client registers to use the set.</summary>
    [JsonPropertyName("jwks_uri")]
    public required string JwksUri { get; init; }

    [JsonPropertyName("keys")]
    public required IReadOnlyList<AdminHostedKey> Keys { get; init; }
}

public sealed record AdminHostedKey
{
    [JsonPropertyName("kid")]
    public required string Kid { get; init; }

    [JsonPropertyName("thumbprint")]
    public required string Thumbprint { get; init; }

    [JsonPropertyName("state")]
    public required HostedKeyState State { get; init; }

    /// <summary>When a retiring key ends. Absent in every other state.</summary>
    [JsonPropertyName("until")]
    public DateTimeOffset? Until { get; init; }

    /// <summary>By any client that uses the set; accurate to a minute. Absent: never, or not within 400 days.</summary>
    [JsonPropertyName("last_used_at")]
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>
    /// True: uses of the last day could not be written down, so <see cref="LastUsedAt"/> may be too old, and nothing is said to be safe.
    /// Absent: all is known.
    /// </summary>
    [JsonPropertyName("use_is_unknown")]
    public bool? UseIsUnknown { get; init; }

    /// <summary>Another key is active, and this one is known not to have been used for a day.</summary>
    [JsonPropertyName("safe_to_retire")]
    public required bool SafeToRetire { get; init; }
}

/// <summary>Adds to a key set what is known of the use of its keys.</summary>
internal sealed class KeySetDescription(KeyUses uses, IssuerUrls urls, TimeProvider time)
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromDays(1);

    public async Task<AdminKeySet> ExecuteAsync(HostedKeySet set, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var lastUses = await uses.FindAsync(KeyUses.OwnerOf(set), set.Keys.Select(key => key.Thumbprint), set.CreatedAt, cancellationToken);
        var isUnknown = uses.MayBeMissing;
        return new AdminKeySet
        {
            Id = set.Id,
            JwksUri = urls.HostedKeySet(set.Id),
            Keys =
            [
                .. set.Keys.Select(
                    key => Describe(set, key, lastUses.TryGetValue(key.Thumbprint, out var usedAt) ? usedAt : null, isUnknown, now)),
            ],
        };
    }

    private static AdminHostedKey Describe(HostedKeySet set, HostedKey key, DateTimeOffset? usedAt, bool isUnknown, DateTimeOffset now) =>
        new()
        {
            Kid = key.Kid,
            Thumbprint = key.Thumbprint,
            State = key.StateAt(now),
            Until = key.StateAt(now) == HostedKeyState.Retiring ? key.Until : null,
            LastUsedAt = usedAt,
            UseIsUnknown = isUnknown ? true : null,
            SafeToRetire = !isUnknown && key.IsUsable(now)
            && set.Keys.Any(other => other.Kid != key.Kid && other.StateAt(now) == HostedKeyState.Active)
            && (usedAt ?? key.Since) <= now - s_quiet,
        };
}
