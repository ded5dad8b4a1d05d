using Dcr.Auditing;
using Dcr.Jose;
using Dcr.Protocol;

namespace Dcr.Keys;

/// <summary>
/// Keys that are refused on the whole server, whoever has them. An audit record is stored exactly when its change is, and every write is
/// durable when the call returns. Never from a cache: what one node quarantines, every other refuses from the next call on.
/// </summary>
public interface IQuarantinedKeyStore
{
    /// <summary>Atomic: of parallel calls for one thumbprint, one adds. One that is in quarantine already stays there as it was.</summary>
    Task<QuarantineOutcome> AddAsync(QuarantinedKey key, AuditRecord record, Grounds grounds, CancellationToken cancellationToken);

    /// <summary>Atomic: of parallel calls for one thumbprint, one removes.</summary>
    Task<QuarantineOutcome> RemoveAsync(string thumbprint, AuditRecord record, Grounds grounds, CancellationToken cancellationToken);

    Task<QuarantinedKey?> FindAsync(string thumbprint, CancellationToken cancellationToken);

    /// <summary>At most <paramref name="limit"/>, by thumbprint, strictly after <paramref name="after"/> where given.</summary>
    Task<IReadOnlyList<QuarantinedKey>> ListAsync(string? after, int limit, CancellationToken cancellationToken);

    /// <summary>Those of the thumbprints that are in quarantine. One read, however many there are.</summary>
    Task<IReadOnlyList<string>> FilterAsync(IReadOnlyCollection<string> thumbprints, CancellationToken cancellationToken);
}

public enum QuarantineOutcome
{
    Done,

    /// <summary>It is in quarantine already, or is not; nothing was changed.</summary>
    AsItWas,

    /// <summary>What the change rests on does not hold any more; nothing was changed.</summary>
    GroundsChanged,
}

/// <summary>A key that is refused on the whole server.</summary>
/// <param name="Thumbprint">RFC 7638, SHA-256, base64url.</param>
/// <param name="Reason">As the administrator gave it.</param>
/// <param name="QuarantinedAt">Since when.</param>
/// <param name="QuarantinedBy">The client id of the administrator.</param>
public sealed record QuarantinedKey(string Thumbprint, string Reason, DateTimeOffset QuarantinedAt, string QuarantinedBy);

internal static class QuarantinedKeys
{
    public static async Task<bool> HoldsAsync(this IQuarantinedKeyStore store, string thumbprint, CancellationToken cancellationToken) =>
        (await store.FilterAsync([thumbprint], cancellationToken)).Count > 0;

    /// <summary>The first of the keys that is in quarantine. Null: none is.</summary>
    public static async Task<PublicKey?> FirstAsync(
        this IQuarantinedKeyStore store, IReadOnlyList<PublicKey> keys, CancellationToken cancellationToken)
    {
        var held = await store.FilterAsync([.. keys.Select(key => key.Thumbprint)], cancellationToken);
        return keys.FirstOrDefault(key => held.Contains(key.Thumbprint));
    }
}
