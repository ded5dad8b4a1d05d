using Dcr.Auditing;
using Dcr.Protocol;

namespace Dcr.Keys;

/// <summary>
/// The hosted key sets of all nodes. As with clients: a record given to a write is stored exactly when the change is, and
/// every write is durable when the call returns and made only if its grounds still hold.
/// </summary>
public interface IKeySetStore
{
    /// <summary>Never from a cache.</summary>
    Task<HostedKeySet?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>
    /// At most <paramref name="limit"/> sets by id, descending, strictly below <paramref name="before"/> where given. Served by an index.
    /// </summary>
    Task<IReadOnlyList<HostedKeySet>> ListAsync(string? before, int limit, CancellationToken cancellationToken);

    /// <summary>The id is new: 128 random bits.</summary>
    Task<AddKeySetOutcome> AddAsync(HostedKeySet set, AuditRecord record, Grounds grounds, CancellationToken cancellationToken);

    /// <summary>Atomic: stores <paramref name="replacement"/> if the stored version is one lower than its own.</summary>
    Task<ReplaceOutcome> ReplaceAsync(HostedKeySet replacement, AuditRecord record, Grounds grounds, CancellationToken cancellationToken);

    /// <summary>Atomic: removes the set if it is at <paramref name="version"/>.</summary>
    Task<ReplaceOutcome> DeleteAsync(string id, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken);
}

public enum AddKeySetOutcome
{
    Added,

    /// <summary>What the addition rests on does not hold any more; nothing was added.</summary>
    GroundsChanged,
}
