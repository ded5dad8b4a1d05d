using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

/// <summary>
/// Changes to a client within one transaction: the client, its audit record, the room it leaves under its onboarding client's cap, and the
/// end of its tokens.
/// </summary>
internal static class SqliteClientChange
{
    /// <param name="session">Within a transaction.</param>
    /// <param name="replacement">One version above what is stored.</param>
    /// <param name="record">To be stored with it.</param>
    /// <param name="grounds">What it rests on.</param>
    /// <param name="now">The time of the effect.</param>
    /// <param name="condition">What must hold of the stored client besides. Null: nothing.</param>
    /// <param name="endTokens">Also while it stays active.</param>
    public static ReplaceOutcome Replace(
        SqliteSession session,
        Client replacement,
        AuditRecord record,
        Grounds grounds,
        DateTimeOffset now,
        Func<Stored, bool>? condition = null,
        bool endTokens = false)
    {
        if (!SqliteGrounds.Hold(session, grounds, now))
        {
            return ReplaceOutcome.GroundsChanged;
        }
        var outcome = Find(session, replacement.ClientId, replacement.Version - 1, condition, out var stored);
        if (outcome != ReplaceOutcome.Done)
        {
            return outcome;
        }
        SqliteClientRow.Replace(session, replacement);
        if (stored!.Status.IsLive() && !replacement.Status.IsLive())
        {
            SqliteRegistrationCounts.Release(session, stored.OnboardingClient);
        }
        if (endTokens || replacement.Status != ClientStatus.Active)
        {
            SqliteStatusListStore.UseUp(session, replacement.ClientId, stored.StatusIndex);
        }
        SqliteAuditStore.Insert(session, record);
        return ReplaceOutcome.Done;
    }

    public static ReplaceOutcome SignOut(
        SqliteSession session, string clientId, long version, AuditRecord record, Grounds grounds, DateTimeOffset now)
    {
        if (!SqliteGrounds.Hold(session, grounds, now))
        {
            return ReplaceOutcome.GroundsChanged;
        }
        var outcome = Find(session, clientId, version, condition: null, out var stored);
        if (outcome != ReplaceOutcome.Done)
        {
            return outcome;
        }
        session.Change("UPDATE clients SET version = version + 1, registration_access = NULL WHERE client_id = $1", clientId);
        SqliteStatusListStore.UseUp(session, clientId, stored!.StatusIndex);
        SqliteAuditStore.Insert(session, record);
        return ReplaceOutcome.Done;
    }

    public static ReplaceOutcome Delete(
        SqliteSession session, string clientId, long version, AuditRecord record, Grounds grounds, DateTimeOffset now)
    {
        if (!SqliteGrounds.Hold(session, grounds, now))
        {
            return ReplaceOutcome.GroundsChanged;
        }
        var outcome = Find(session, clientId, version, condition: null, out var stored);
        if (outcome != ReplaceOutcome.Done)
        {
            return outcome;
        }
        SqliteStatusListStore.UseUp(session, clientId, stored!.StatusIndex);
        session.Change("DELETE FROM clients WHERE client_id = $1", clientId);
        session.Change("DELETE FROM key_uses WHERE client_id = $1", clientId);
        if (stored.Status.IsLive())
        {
            SqliteRegistrationCounts.Release(session, stored.OnboardingClient);
        }
        SqliteAuditStore.Insert(session, record);
        return ReplaceOutcome.Done;
    }

    public static ReplaceOutcome Find(
        SqliteSession session, string clientId, long version, Func<Stored, bool>? condition, out Stored? stored)
    {
        stored = session.Read(
            Read,
            "SELECT status, version, onboarding_client, last_used_at, status_index FROM clients WHERE client_id = $1",
            clientId).SingleOrDefault();
        if (stored is null)
        {
            return ReplaceOutcome.Gone;
        }
        return stored.Version == version && condition?.Invoke(stored) != false ? ReplaceOutcome.Done : ReplaceOutcome.VersionConflict;
    }

    private static Stored Read(SqliteDataReader row) => new(
        (ClientStatus)row.GetInt32(0),
        row.GetInt64(1),
        row.IsDBNull(2) ? null : row.GetString(2),
        row.IsDBNull(3) ? null : row.GetInt64(3),
        row.IsDBNull(4) ? null : row.GetInt64(4));

    /// <summary>What a change depends on.</summary>
    public sealed record Stored(ClientStatus Status, long Version, string? OnboardingClient, long? LastUsedAt, long? StatusIndex);
}
