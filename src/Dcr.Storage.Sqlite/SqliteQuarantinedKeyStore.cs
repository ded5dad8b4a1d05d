using Dcr.Auditing;
using Dcr.Keys;
using Dcr.Protocol;
using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

internal sealed class SqliteQuarantinedKeyStore(SqliteStorage storage, TimeProvider time) : IQuarantinedKeyStore
{
    private const string Columns = "thumbprint, reason, quarantined_at, quarantined_by";

    public Task<QuarantineOutcome> AddAsync(QuarantinedKey key, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        ChangeAsync(
        session => session.Change(
            $"INSERT INTO quarantined_keys ({Columns}) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            key.Thumbprint,
            key.Reason,
            key.QuarantinedAt.ToUnixTimeMilliseconds(),
            key.QuarantinedBy),
        record,
        grounds,
        cancellationToken);

    public Task<QuarantineOutcome> RemoveAsync(
        string thumbprint, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        ChangeAsync(
            session => session.Change("DELETE FROM quarantined_keys WHERE thumbprint = $1", thumbprint),
            record,
            grounds,
            cancellationToken);

    public Task<QuarantinedKey?> FindAsync(string thumbprint, CancellationToken cancellationToken) =>
        Task.FromResult(storage.Main.Read(session =>
        session.Read(ReadRow, $"SELECT {Columns} FROM quarantined_keys WHERE thumbprint = $1", thumbprint).SingleOrDefault()));

    public Task<IReadOnlyList<QuarantinedKey>> ListAsync(string? after, int limit, CancellationToken cancellationToken)
    {
        IReadOnlyList<QuarantinedKey> found = storage.Main.Read(session => session.Read(
            ReadRow, $"SELECT {Columns} FROM quarantined_keys WHERE thumbprint > $1 ORDER BY thumbprint LIMIT $2", after ?? "", limit));
        return Task.FromResult(found);
    }

    public Task<IReadOnlyList<string>> FilterAsync(IReadOnlyCollection<string> thumbprints, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> held = storage.Main.Read<List<string>>(session =>
            [.. thumbprints.Where(thumbprint => Holds(session, thumbprint))]);
        return Task.FromResult(held);
    }

    public static bool Holds(SqliteSession session, string thumbprint) =>
        session.Read(row => row.GetInt64(0), "SELECT 1 FROM quarantined_keys WHERE thumbprint = $1", thumbprint).Count == 1;

    private Task<QuarantineOutcome> ChangeAsync(
        Func<SqliteSession, int> change, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session =>
        {
            if (!SqliteGrounds.Hold(session, grounds, time.GetUtcNow()))
            {
                return QuarantineOutcome.GroundsChanged;
            }
            if (change(session) == 0)
            {
                return QuarantineOutcome.AsItWas;
            }
            SqliteAuditStore.Insert(session, record);
            return QuarantineOutcome.Done;
        },
        cancellationToken);

    private static QuarantinedKey ReadRow(SqliteDataReader row) =>
        new(row.GetString(0), row.GetString(1), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(2)), row.GetString(3));
}
