using Dcr.Auditing;
using Dcr.Protocol;

namespace Dcr.Clients;

/// <summary>
/// The clients of all nodes. An audit record given to a write is stored exactly when the change is: never the one
/// without the other, whatever crashes in between. Every write is durable when the call returns. A store that cannot
/// be reached throws <see cref="StoreUnavailableException"/>. A write that is given <see cref="Grounds"/> is made only if all
/// of them still hold, in the same atomic step.
/// </summary>
public interface IClientStore
{
    /// <summary>Never from a cache: a status changed on another node is seen by the next call.</summary>
    Task<Client?> FindAsync(string clientId, CancellationToken cancellationToken);

    /// <summary>
    /// At most <paramref name="limit"/> clients, newest first (by creation, then by client id, both descending),
    /// strictly after <paramref name="after"/>; from the newest where that is null. Served by an index.
    /// </summary>
    Task<IReadOnlyList<Client>> ListAsync(ClientFilter filter, ClientCursor? after, int limit, CancellationToken cancellationToken);

    /// <summary>Whether any client is registered for the scope <c>dcr.admin</c>, whatever its status. Served by an index.</summary>
    Task<bool> HasAdministratorAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Atomic: of parallel calls for one client id, one adds. Such a client is not counted as a registration; those come by
    /// the store of registrations.
    /// </summary>
    Task<AddClientOutcome> AddAsync(Client client, AuditRecord record, Grounds grounds, CancellationToken cancellationToken);

    /// <summary>
    /// Atomic: stores <paramref name="replacement"/> if the stored version is one lower than its own; of parallel replacements of one
    /// version, one is done. Id, incarnation and creation, what was recorded of its authentications
    /// (<see cref="RecordAuthenticationAsync"/>) and its status index are left as stored, whatever the replacement says. A client that
    /// stops being live leaves room under the cap of its onboarding client; one that had expired is not made live by this but by
    /// <see cref="IClientLifecycleStore.ReviveAsync"/>.
    /// </summary>
    Task<ReplaceOutcome> ReplaceAsync(Client replacement, AuditRecord record, Grounds grounds, CancellationToken cancellationToken);

    /// <summary>
    /// Atomic: uses up the client's status index, if it is at <paramref name="version"/>, and moves it to the next: the tokens it has are
    /// dead, those it gets from then on are not. The same happens whenever a client stops being active.
    /// </summary>
    Task<ReplaceOutcome> SignOutAsync(
        string clientId, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken);

    /// <summary>
    /// Atomic: removes the client if it is at <paramref name="version"/>, with what is known of the uses of its keys, and uses up its
    /// status index. A live client leaves room under the cap of its onboarding client; its uses of initial access tokens stay counted, and
    /// its audit records stay.
    /// </summary>
    Task<ReplaceOutcome> DeleteAsync(
        string clientId, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken);

    /// <summary>
    /// Atomic: the client has proved itself at this time, by something that only an exception made good or not. Both times only
    /// move on; without an exception, a need of more than <see cref="Client.ExceptionForgottenAfter"/> before is forgotten.
    /// Leaves the version alone.
    /// </summary>
    /// <returns>False, with nothing recorded: the client is not active, or gone.</returns>
    Task<bool> RecordAuthenticationAsync(string clientId, bool byException, DateTimeOffset at, CancellationToken cancellationToken);

    /// <summary>
    /// Atomic: forgets the previous registration access token while the current one still has this hash (it has been
    /// used, so the client holds it). Leaves the version alone.
    /// </summary>
    Task ForgetPreviousRegistrationTokenAsync(string clientId, string currentTokenHash, CancellationToken cancellationToken);
}
