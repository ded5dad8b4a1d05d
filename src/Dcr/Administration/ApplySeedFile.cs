using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using Microsoft.Extensions.Logging;

namespace Dcr.Administration;

/// <summary>
/// Puts the clients of the seed file into the store. An entry that is already there as written changes nothing; one
/// that differs replaces metadata and policy and keeps the status, so that a restart never re-enables a client.
/// </summary>
internal sealed partial class ApplySeedFile(
    IClientStore clients, AuditRecords records, TimeProvider time, ILogger<ApplySeedFile> logger)
{
    public async Task ExecuteAsync(IReadOnlyList<SeededClient> seed, CancellationToken cancellationToken)
    {
        foreach (var entry in seed)
        {
            // Another node may be applying the same file: then somebody wins, and the next look finds it done.
            while (!await TryApplyAsync(entry, cancellationToken))
            {
            }
        }
    }

    private async Task<bool> TryApplyAsync(SeededClient entry, CancellationToken cancellationToken)
    {
        if (await clients.FindAsync(entry.ClientId, cancellationToken) is not { } stored)
        {
            var client = entry.ToClient(time.GetUtcNow());
            var outcome = await clients.AddAsync(client, Record(null, client), Grounds.Server, cancellationToken);
            return Log(outcome == AddClientOutcome.Added, entry.ClientId);
        }
        if (entry.IsAsWritten(stored))
        {
            return true;
        }
        var replacement = entry.Over(stored);
        return Log(await clients.ReplaceAsync(replacement, Record(stored, replacement), Grounds.Server, cancellationToken) == ReplaceOutcome.Done, entry.ClientId);
    }

    private AuditRecord Record(Client? before, Client after) =>
        records.Create(AuditActions.ClientSeeded, after.ClientId, actor: null) with { Changes = SeededClient.Changes(before, after) };

    private bool Log(bool applied, string clientId)
    {
        if (applied)
        {
            LogApplied(clientId);
        }
        return applied;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Client {ClientId} applied from the seed file")]
    private partial void LogApplied(Printed clientId);
}
