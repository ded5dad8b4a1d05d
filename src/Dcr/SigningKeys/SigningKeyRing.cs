namespace Dcr.SigningKeys;

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

    /// <summary>
    /// The key to sign with: the newest of those that are active. A clock that was set back finds none active, and then it is the
    /// oldest, which was active before and which APIs know. Null: there is no key yet.
    /// </summary>
    public RingKey? Current(DateTimeOffset now)
    {
        var trusted = keys.Where(key => !IsRevoked(key)).ToList();
        return trusted.Where(key => key.Stored.ActivatesAt <= now).MaxBy(key => key.Stored.Generation)
            ?? trusted.MinBy(key => key.Stored.Generation);
    }

    /// <summary>The keys to publish and to verify with: announced, active, and those whose last tokens still live.</summary>
    public IEnumerable<RingKey> Published(DateTimeOffset now)
    {
        var current = Current(now);
        return keys.Where(key => !IsRevoked(key) && (key == current || !(RetiresAt(key) <= now)));
    }

    /// <summary>When the last token signed with the key has expired. Null: nothing follows it yet.</summary>
    public DateTimeOffset? RetiresAt(RingKey key)
    {
        var followers = keys.Where(other => !IsRevoked(other) && other.Stored.Generation > key.Stored.Generation)
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
        if (key == Current(now))
        {
            return SigningKeyState.Active;
        }
        if (RetiresAt(key) <= now)
        {
            return SigningKeyState.Retired;
        }
        return key.Stored.ActivatesAt > now ? SigningKeyState.Announced : SigningKeyState.Retiring;
    }
}
