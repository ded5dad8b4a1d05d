using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Administration;

/// <summary>What is done to every client of one origin, in batches, and how far it has come.</summary>
public sealed record ClientOperation
{
    /// <summary>Sorts by time, as the ids of audit records.</summary>
    public required string Id { get; init; }

    public required OriginFilter Origin { get; init; }

    /// <summary>Only clients that rest on a software statement, and on none of these; one without a software_id stands for every software of its issuer. Null: no matter.</summary>
    public IReadOnlyList<StatementOrigin>? UnlessRestingOn { get; init; }

    /// <summary>What the clients become: revoked or suspended.</summary>
    public required ClientStatus Becomes { get; init; }

    public required AuditActor Actor { get; init; }

    /// <summary>Only clients that were registered up to then.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>True: clients are counted, and nothing more.</summary>
    public bool DryRun { get; init; }

    /// <summary>How many clients it concerned when it began: those that were not already what they are to become.</summary>
    public long Matched { get; init; }

    /// <summary>How many it has changed.</summary>
    public long Changed { get; init; }

    public bool Done { get; init; }

    /// <summary>The last client it has come to, oldest first. Null: none yet.</summary>
    public ClientCursor? After { get; init; }

    /// <summary>Statuses that the operation changes.</summary>
    public IReadOnlyList<ClientStatus> Changes => Becomes == ClientStatus.Revoked
        ? [ClientStatus.Active, ClientStatus.Suspended, ClientStatus.Expired]
        : [ClientStatus.Active];
}

/// <summary>Operations on many clients, kept so that any node can finish them.</summary>
public interface IClientOperationStore
{
    /// <summary>How many clients the operation concerns. Served by an index.</summary>
    Task<long> CountAsync(ClientOperation operation, CancellationToken cancellationToken);

    /// <returns>False: what the operation rests on does not hold any more, and nothing was added.</returns>
    Task<bool> AddAsync(ClientOperation operation, Grounds grounds, CancellationToken cancellationToken);

    Task<ClientOperation?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>Operations that are not done, oldest first.</summary>
    Task<IReadOnlyList<ClientOperation>> ListUnfinishedAsync(int limit, CancellationToken cancellationToken);

    /// <summary>
    /// Does the next <paramref name="limit"/> clients: each gets the status, the next version and its audit record in one
    /// atomic change. Several nodes may call this at once, and a call that ended half-way is repeated: every client is
    /// changed once and counted once.
    /// </summary>
    /// <returns>The operation as it now is.</returns>
    Task<ClientOperation> StepAsync(ClientOperation operation, int limit, Func<string, ClientStatus, AuditRecord> record, CancellationToken cancellationToken);
}
