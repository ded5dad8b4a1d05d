namespace Dcr.Keys;

/// <summary>A key of the server, and when it does what.</summary>
internal sealed record RingKey(StoredSigningKey Stored, SigningKey Key);

/// <summary>
/// All keys of the server at one moment. What each is for follows from their times alone, so that nodes which read the
/// same keys come to the same conclusions.
/// </summary>
internal sealed class SigningKeyRing(IReadOnlyList<RingKey> keys)
{
    /// <summary>How long APIs may keep the published keys (Cache-Control of /oauth/jwks).</summary>
    public static readonly TimeSpan PublicationAge = TimeSpan.FromMinutes(5);

    /// <summary>A key is published this long before it signs, so that no API is surprised by it.</summary>
    public static readonly TimeSpan LeastAnnouncement = 2 * PublicationAge;

    // The longest life of any token, the initial access token's, and some for nodes that noticed the change a little late.
    private static readonly TimeSpan s_publishedAfterUse = TimeSpan.FromDays(1) + TimeSpan.FromMinutes(1);

    private readonly int _revokedUpTo = keys.Count == 0 ? 0 : keys.Max(key => key.Stored.RevokesUpTo);

    public IReadOnlyList<RingKey> All => keys;

    public RingKey? Newest => keys.Count == 0 ? null : keys[^1];

    public bool IsRevoked(RingKey key) => key.Stored.Generation <= _revokedUpTo;

    /// <summary>The key to sign with: the one that became active last. Null: there is none yet.</summary>
    public RingKey? Current(DateTimeOffset now) => keys
        .Where(key => !IsRevoked(key) && key.Stored.ActivatesAt <= now)
        .MaxBy(key => (key.Stored.ActivatesAt, key.Stored.Generation));

    /// <summary>The keys to publish and to verify with: announced, active, and those whose last tokens still live.</summary>
    public IEnumerable<RingKey> Published(DateTimeOffset now) => keys.Where(key => !IsRevoked(key) && !(RetiresAt(key) <= now));

    /// <summary>When the last token signed with the key has expired. Null: nothing follows it yet.</summary>
    public DateTimeOffset? RetiresAt(RingKey key)
    {
        var followers = keys
            .Where(other => !IsRevoked(other) && (other.Stored.ActivatesAt, other.Stored.Generation).CompareTo((key.Stored.ActivatesAt, key.Stored.Generation)) > 0)
            .Select(other => other.Stored.ActivatesAt)
            .ToList();
        return followers.Count == 0 ? null : followers.Min() + s_publishedAfterUse;
    }

    public SigningKeyState StateOf(RingKey key, DateTimeOffset now)
    {
        if (IsRevoked(key))
        {
            return SigningKeyState.Revoked;
        }
        if (key.Stored.ActivatesAt > now)
        {
            return SigningKeyState.Announced;
        }
        return key == Current(now) ? SigningKeyState.Active : RetiresAt(key) <= now ? SigningKeyState.Retired : SigningKeyState.Retiring;
    }
}
