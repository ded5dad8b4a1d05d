using System.Text.Json;
using Dcr.Auditing;
using Dcr.Keys;
using Dcr.Protocol;
using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

internal sealed class SqliteKeySetStore(SqliteStorage storage, TimeProvider time) : IKeySetStore
{
    public Task<HostedKeySet?> FindAsync(string id, CancellationToken cancellationToken) => Task.FromResult(storage.Main.Read(session =>
        session.Read(ReadRow, "SELECT id, version, created_at, keys FROM key_sets WHERE id = $1", id).SingleOrDefault()));

    public Task<IReadOnlyList<HostedKeySet>> ListAsync(string? before, int limit, CancellationToken cancellationToken)
    {
        // '~' sorts after every hexadecimal digit.
        IReadOnlyList<HostedKeySet> found = storage.Main.Read(session => session.Read(
            ReadRow, "SELECT id, version, created_at, keys FROM key_sets WHERE id < $1 ORDER BY id DESC LIMIT $2", before ?? "~", limit));
        return Task.FromResult(found);
    }

    public Task<AddKeySetOutcome> AddAsync(HostedKeySet set, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session =>
        {
            if (!SqliteGrounds.Hold(session, grounds, time.GetUtcNow()))
            {
                return AddKeySetOutcome.GroundsChanged;
            }
            session.Change(
                "INSERT INTO key_sets (id, version, created_at, keys) VALUES ($1, $2, $3, $4)",
                set.Id,
                set.Version,
                set.CreatedAt.ToUnixTimeMilliseconds(),
                Keys(set));
            SqliteAuditStore.Insert(session, record);
            return AddKeySetOutcome.Added;
        },
        cancellationToken);

    public Task<ReplaceOutcome> ReplaceAsync(
        HostedKeySet replacement, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session => !SqliteGrounds.Hold(session, grounds, time.GetUtcNow()) ? ReplaceOutcome.GroundsChanged : Conclude(
            session,
            session.Change(
                "UPDATE key_sets SET version = $2, keys = $3 WHERE id = $1 AND version = $2 - 1",
                replacement.Id,
                replacement.Version,
                Keys(replacement)),
            replacement.Id,
            record),
        cancellationToken);

    public Task<ReplaceOutcome> DeleteAsync(
        string id, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session =>
        {
            if (!SqliteGrounds.Hold(session, grounds, time.GetUtcNow()))
            {
                return ReplaceOutcome.GroundsChanged;
            }
            var outcome = Conclude(session, session.Change("DELETE FROM key_sets WHERE id = $1 AND version = $2", id, version), id, record);
            if (outcome == ReplaceOutcome.Done)
            {
                session.Change("DELETE FROM key_uses WHERE client_id = 'key-set:' || $1", id);
            }
            return outcome;
        },
        cancellationToken);

    private static ReplaceOutcome Conclude(SqliteSession session, int changed, string id, AuditRecord record)
    {
        if (changed == 1)
        {
            SqliteAuditStore.Insert(session, record);
            return ReplaceOutcome.Done;
        }
        return session.Read(row => row.GetInt64(0), "SELECT 1 FROM key_sets WHERE id = $1", id).Count == 1
            ? ReplaceOutcome.VersionConflict
            : ReplaceOutcome.Gone;
    }

    private static string Keys(HostedKeySet set) => JsonSerializer.Serialize(set.Keys, KeysJson.Default.IReadOnlyListHostedKey);

    private static HostedKeySet ReadRow(SqliteDataReader row) => new()
    {
        Id = row.GetString(0),
        Version = row.GetInt64(1),
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)),
        Keys = JsonSerializer.Deserialize(row.GetString(3), KeysJson.Default.IReadOnlyListHostedKey)!,
    };
}
