using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using Microsoft.Extensions.Logging;

namespace Dcr.Onboarding;

/// <summary>
/// Puts the clients of the seed file into the store. An entry that is already there as written changes nothing; one
/// that differs replaces metadata and policy and keeps the status, so that a restart never re-enables a client. A client that was
/// deleted since its entry was applied stays deleted, until the entry changes.
/// </summary>
internal sealed partial class SeedFileApplier(
    IClientStore clients, ISeededClientStore seeded, AuditRecords records, TimeProvider time, ILogger<SeedFileApplier> logger)
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
        var stored = await clients.FindAsync(entry.ClientId, cancellationToken);
        var applied = await seeded.FindEntryAsync(entry.ClientId, cancellationToken);
        if (stored is null && applied is not null && applied == entry.EntryHash)
        {
            LogDeleted(entry.ClientId);
            return true;
        }
        var isApplied = stored is null
            ? await TryAddAsync(entry, cancellationToken)
            : entry.IsAsWritten(stored) || await TryReplaceAsync(entry, stored, cancellationToken);
        if (!isApplied)
        {
            return false;
        }
        // Afterwards: a crash in between leaves a client whose entry is applied once more, never an entry without its client.
        if (entry.EntryHash is { } hash && hash != applied)
        {
            await seeded.RecordEntryAsync(entry.ClientId, hash, cancellationToken);
        }
        return true;
    }

    private async Task<bool> TryAddAsync(SeededClient entry, CancellationToken cancellationToken)
    {
        var client = entry.ToClient(time.GetUtcNow());
        return Log(
            await clients.AddAsync(client, Record(null, client), Grounds.Server, cancellationToken) == AddClientOutcome.Added,
            entry.ClientId);
    }

    private async Task<bool> TryReplaceAsync(SeededClient entry, Client stored, CancellationToken cancellationToken)
    {
        var replacement = entry.Over(stored);
        return Log(
            await clients.ReplaceAsync(replacement, Record(stored, replacement), Grounds.Server, cancellationToken) == ReplaceOutcome.Done,
            entry.ClientId);
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

    [LoggerMessage(EventId = 2102, Level = LogLevel.Information, Message = "Client {ClientId} applied from the seed file")]
    private partial void LogApplied(Printed clientId);

    [LoggerMessage(
        EventId = 2103,
        Level = LogLevel.Information,
        Message = "Seeded client {ClientId} has been deleted; it stays so until its entry changes")]
    private partial void LogDeleted(Printed clientId);
}
