using System.Text.Json;
using Dcr.Auditing;
using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

internal sealed class SqliteAuditStore(SqliteStorage storage) : IAuditStore
{
    public Task AddAsync(AuditRecord record, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session =>
        {
            Insert(session, record);
            return true;
        },
        cancellationToken);

    public Task<IReadOnlyList<AuditRecord>> ListAsync(string? subject, string? before, int limit, CancellationToken cancellationToken)
    {
        var sql = $"""
            SELECT id, at, actor, actor_kid, action, subject, changes FROM audit
            WHERE {(subject is null ? "" : "subject = $3 AND ")}id < $1 ORDER BY id DESC LIMIT $2
            """;
        // '~' sorts after every hexadecimal digit.
        IReadOnlyList<AuditRecord> found = storage.Main.Read(session => session.Read(ReadRow, sql, before ?? "~", limit, subject));
        return Task.FromResult(found);
    }

    /// <summary>Within the transaction of the change that it records.</summary>
    public static void Insert(SqliteSession session, AuditRecord record) => session.Change(
        "INSERT INTO audit (id, at, actor, actor_kid, action, subject, changes) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        record.Id,
        record.At.ToUnixTimeMilliseconds(),
        record.Actor,
        record.ActorKid,
        record.Action,
        record.Subject,
        JsonSerializer.Serialize(record.Changes, AuditingJson.Default.IReadOnlyDictionaryStringAuditChange));

    private static AuditRecord ReadRow(SqliteDataReader row) => new()
    {
        Id = row.GetString(0),
        At = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)),
        Actor = row.IsDBNull(2) ? null : row.GetString(2),
        ActorKid = row.IsDBNull(3) ? null : row.GetString(3),
        Action = row.GetString(4),
        Subject = row.GetString(5),
        Changes = JsonSerializer.Deserialize(row.GetString(6), AuditingJson.Default.IReadOnlyDictionaryStringAuditChange)!,
    };
}
