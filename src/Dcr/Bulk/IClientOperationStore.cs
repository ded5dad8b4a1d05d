using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Bulk;

/// <summary>What is done to every client of one origin, in batches, and how far it has come.</summary>
public sealed record ClientOperation
{
    /// <summary>Sorts by time, as the ids of audit records.</summary>
    public required string Id { get; init; }

    public required OriginFilter Origin { get; init; }

    /// <summary>
    /// Only clients that rest on a software statement, and on none of these; one without a software_id stands for every software of its
    /// issuer. Null: any.
    /// </summary>
    public IReadOnlyList<StatementOrigin>? UnlessRestingOn { get; init; }

    /// <summary>What the clients become: revoked, suspended, or active again.</summary>
    public required ClientStatus Becomes { get; init; }

    public required AuditActor Actor { get; init; }

    /// <summary>By the clock of the node that it began on: to be shown, and nothing is decided by it.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>True: clients are counted, and nothing more.</summary>
    public bool DryRun { get; init; }

    /// <summary>How many clients it concerned when it began: those that were not already what they are to become.</summary>
    public long Matched { get; init; }

    /// <summary>How many it has changed.</summary>
    public long Changed { get; init; }

    public bool Done { get; init; }

    /// <summary>The last client it has come to, oldest first. Null: it begins with the oldest.</summary>
    public ClientCursor? After { get; init; }

    /// <summary>How often it has come to the newest client and begun again with the oldest.</summary>
    public int Passes { get; init; }

    /// <summary>Statuses that the operation changes.</summary>
    public IReadOnlyList<ClientStatus> Changes => Becomes switch
    {
        ClientStatus.Revoked => [ClientStatus.Active, ClientStatus.Suspended, ClientStatus.Expired],
        ClientStatus.Suspended => [ClientStatus.Active],
        ClientStatus.Active => [ClientStatus.Suspended, ClientStatus.Expired],
        _ => throw new InvalidOperationException($"No operation makes clients {Becomes}."),
    };
}

/// <summary>
/// Operations on many clients, kept so that any node can finish them. An operation that stops clients covers what is in the store, in the
/// store's own order, whatever the clocks of the nodes say: it goes over the origin until it finds none to be changed, so that after it is
/// done every client that was there when it began its last look has been stopped. New clients may come all the time: it looks again
/// <see cref="MaxPasses"/> times at most.
/// </summary>
public interface IClientOperationStore
{
    /// <summary>After so many passes the next look at the whole origin is the last.</summary>
    const int MaxPasses = 3;

    /// <summary>
    /// How many clients the operation concerns. Served by an index; for an onboarding client as the only member of the origin, by the count
    /// that is kept of its live clients.
    /// </summary>
    Task<long> CountAsync(ClientOperation operation, CancellationToken cancellationToken);

    /// <summary>
    /// Stores an operation. Its record, if there is one, is in the audit trail before the first client is changed, and never without the
    /// operation.
    /// </summary>
    /// <returns>False: what the operation rests on does not hold any more, and nothing was added.</returns>
    Task<bool> AddAsync(ClientOperation operation, AuditRecord? record, Grounds grounds, CancellationToken cancellationToken);

    Task<ClientOperation?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>Operations that are not done, oldest first.</summary>
    /// <param name="after">Only those after the one with this id. Null: from the oldest.</param>
    Task<IReadOnlyList<ClientOperation>> ListUnfinishedAsync(string? after, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Stops the next <paramref name="limit"/> clients: each gets the status, the next version and its audit record in one
    /// atomic change. Several nodes may call this at once, and a call that ended half-way is repeated: every client is
    /// changed once and counted once, and one that an administrator lets go on meanwhile is left alone.
    /// </summary>
    /// <returns>The operation as it now is.</returns>
    Task<ClientOperation> StepAsync(
        ClientOperation operation, int limit, Func<string, ClientStatus, AuditRecord> record, CancellationToken cancellationToken);

    /// <summary>
    /// For an operation that lets clients go on, which is done client by client: the next that it concerns, oldest first.
    /// </summary>
    Task<IReadOnlyList<ClientCursor>> NextAsync(ClientOperation operation, int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Atomic: this call has changed so many clients more, by itself and not by <see cref="StepAsync"/>. It counts however far the
    /// operation has come meanwhile, and after it is done too.
    /// </summary>
    /// <returns>The operation as it now is.</returns>
    Task<ClientOperation> CountChangedAsync(ClientOperation operation, long more, CancellationToken cancellationToken);

    /// <summary>
    /// Atomic: stores how far the operation has come, if it still stands where it was read and has changed as many as then.
    /// </summary>
    /// <returns>The operation as it now is.</returns>
    Task<ClientOperation> MoveAsync(ClientOperation read, ClientOperation moved, CancellationToken cancellationToken);
}
