using Dcr.Auditing;
using Dcr.Protocol;

namespace Dcr.Clients;

/// <summary>
/// What ends clients and begins them again. As with <see cref="IClientStore"/>, an audit record is stored exactly when
/// its change is, and every write is durable when the call returns.
/// </summary>
public interface IClientLifecycleStore
{
    /// <summary>
    /// At most <paramref name="limit"/> clients, active or expired, whose review is due, the longest due first, strictly
    /// after <paramref name="after"/>. Served by an index.
    /// </summary>
    Task<IReadOnlyList<Client>> ListDueAsync(DateTimeOffset now, ReviewCursor? after, int limit, CancellationToken cancellationToken);

    /// <summary>How many clients that were registered are live, by the counts that are kept.</summary>
    Task<long> CountLiveAsync(CancellationToken cancellationToken);

    /// <summary>Atomic: moves the review of a client that is still due at <paramref name="dueAt"/>. Leaves the version alone.</summary>
    Task ReviewAgainAsync(string clientId, DateTimeOffset dueAt, DateTimeOffset? reviewAt, CancellationToken cancellationToken);

    /// <summary>
    /// Atomic: stores <paramref name="expired"/> as a replacement, if the client has not proved itself since it was read:
    /// its last use is still the same. So of a use and an expiry at once, one fails.
    /// </summary>
    Task<ReplaceOutcome> ExpireAsync(Client expired, AuditRecord record, CancellationToken cancellationToken);

    /// <summary>
    /// Atomic: as <see cref="IClientStore.ReplaceAsync"/>, and uses up the client's status index: the tokens it has are dead, those it gets
    /// from then on are not.
    /// </summary>
    Task<ReplaceOutcome> ReplaceAndEndTokensAsync(
        Client replacement, AuditRecord record, Grounds grounds, CancellationToken cancellationToken);

    /// <summary>
    /// Stores <paramref name="revived"/> as a replacement of a client that had expired, if the cap of its onboarding client leaves room.
    /// The cap is as strict as for a registration.
    /// </summary>
    Task<ReviveOutcome> ReviveAsync(
        Client revived, RegistrationLimits limits, AuditRecord record, Grounds grounds, CancellationToken cancellationToken);
}

public enum ReviveOutcome
{
    Done,

    /// <summary>It is at another version; nothing was changed.</summary>
    VersionConflict,

    /// <summary>There is no such client.</summary>
    Gone,

    /// <summary>There are as many live clients as the policy allows.</summary>
    TooManyLiveClients,

    /// <summary>What the revival rests on does not hold any more; nothing was changed.</summary>
    GroundsChanged,
}

/// <summary>A place among the clients that are due: the last one already looked at.</summary>
public sealed record ReviewCursor(DateTimeOffset ReviewAt, string ClientId);
