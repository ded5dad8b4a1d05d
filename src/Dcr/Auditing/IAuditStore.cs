namespace Dcr.Auditing;

/// <summary>
/// The audit trail of all nodes. Records that belong to a change come in with that change, by the store that makes it. A record is never
/// changed or removed.
/// </summary>
public interface IAuditStore
{
    /// <summary>For what changes nothing else in the store. Durable when the call returns.</summary>
    Task AddAsync(AuditRecord record, CancellationToken cancellationToken);

    /// <summary>
    /// At most <paramref name="limit"/> records, newest first (by id, descending), with an id below
    /// <paramref name="before"/> where given, of one subject where given. Complete: every change acknowledged before
    /// the call is in it. Served by an index.
    /// </summary>
    Task<IReadOnlyList<AuditRecord>> ListAsync(string? subject, string? before, int limit, CancellationToken cancellationToken);
}
