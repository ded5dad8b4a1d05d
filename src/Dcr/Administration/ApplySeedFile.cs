using System.Text.Json;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
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
            var client = new Client
            {
                ClientId = entry.ClientId,
                Status = ClientStatus.Active,
                Metadata = entry.Metadata,
                CreatedAt = time.GetUtcNow(),
                Version = 1,
                RegistrationPolicy = entry.Policy,
                AssertionAudienceRule = entry.AssertionAudienceRule,
            };
            var outcome = await clients.AddAsync(client, Record(null, client), cancellationToken);
            return Log(outcome == AddClientOutcome.Added, entry.ClientId);
        }
        if (IsAsWritten(stored, entry))
        {
            return true;
        }
        var replacement = stored with
        {
            Metadata = entry.Metadata,
            RegistrationPolicy = entry.Policy,
            AssertionAudienceRule = entry.AssertionAudienceRule,
            Version = stored.Version + 1,
        };
        return Log(await clients.ReplaceAsync(replacement, Record(stored, replacement), cancellationToken) == ReplaceOutcome.Done, entry.ClientId);
    }

    private AuditRecord Record(Client? before, Client after)
    {
        var changes = new Dictionary<string, AuditChange>(MetadataChanges.Between(before?.Metadata, after.Metadata));
        var (oldPolicy, newPolicy) = (Json(before?.RegistrationPolicy), Json(after.RegistrationPolicy));
        if (oldPolicy != newPolicy)
        {
            changes["registration_policy"] = new AuditChange(oldPolicy, newPolicy);
        }
        return records.Create(AuditActions.ClientSeeded, after.ClientId, actor: null) with { Changes = changes };
    }

    private static bool IsAsWritten(Client stored, SeededClient entry) =>
        MetadataChanges.Between(stored.Metadata, entry.Metadata).Count == 0
        && Json(stored.RegistrationPolicy) == Json(entry.Policy)
        && stored.AssertionAudienceRule == entry.AssertionAudienceRule;

    private static string? Json(RegistrationPolicy? policy) =>
        policy is null ? null : JsonSerializer.Serialize(policy, DcrJson.Default.RegistrationPolicy);

    private bool Log(bool applied, string clientId)
    {
        if (applied)
        {
            LogApplied(clientId);
        }
        return applied;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Client {ClientId} applied from the seed file")]
    private partial void LogApplied(string clientId);
}
