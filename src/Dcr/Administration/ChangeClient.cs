using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Administration;

/// <summary>
/// Applies an administrator's change to a client whatever version it is at: reads, decides, replaces, and again if
/// somebody else was faster. A change that is already so leaves the client and the audit trail alone.
/// </summary>
internal sealed class ChangeClient(IClientStore clients, AuditRecords records)
{
    private const int MaxAttempts = 20;

    /// <param name="clientId">The client to change.</param>
    /// <param name="decide">The client as it should be, or why it may not be changed.</param>
    /// <param name="action">For the audit trail.</param>
    /// <param name="changes">What differs, for the audit trail.</param>
    /// <param name="actor">The administrator.</param>
    /// <param name="cancellationToken">Stops between attempts.</param>
    public async Task<Result<AdminClient>> ExecuteAsync(
        string clientId,
        Func<Client, Result<Client>> decide,
        string action,
        Func<Client, Client, (string Member, AuditChange Change)> changes,
        AuditActor actor,
        CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await clients.FindAsync(clientId, cancellationToken) is not { } client)
            {
                return AdminClientResult.NotFound;
            }
            var decided = decide(client);
            if (!decided.IsSuccess)
            {
                return decided.Error;
            }
            if (decided.Value == client)
            {
                return AdminClient.Of(client);
            }
            var replacement = decided.Value with { Version = client.Version + 1 };
            var (member, change) = changes(client, replacement);
            var record = records.Create(action, clientId, actor) with { Changes = new Dictionary<string, AuditChange> { [member] = change } };
            if (await clients.ReplaceAsync(replacement, record, cancellationToken) == ReplaceOutcome.Done)
            {
                return AdminClient.Of(replacement);
            }
        }
        return OAuthError.Conflict("The client is being changed by others without pause. Try again.");
    }
}
