using System.Text.Json;
using Dcr.Administration;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using Microsoft.Data.Sqlite;

namespace Dcr.Server.Storage.Sqlite;

/// <summary>A step and how far the operation has come are one transaction, so nothing is done or counted twice.</summary>
internal sealed class SqliteClientOperationStore(SqliteStorage storage, TimeProvider time) : IClientOperationStore
{
    private const string Columns = "id, origin, becomes, actor, actor_kid, started_at, dry_run, matched, changed, done, after_created_at, after_client_id, unless_resting_on";

    public Task<long> CountAsync(ClientOperation operation, CancellationToken cancellationToken) => Task.FromResult(storage.Main.Read(session => session.Read(
        row => row.GetInt64(0),
        $"SELECT count(*) FROM clients WHERE {SqliteOrigin.Where(operation.Origin, first: 3)}{Concerned(operation, accepted: 2)} AND created_at <= $1",
        [operation.StartedAt.ToUnixTimeMilliseconds(), Accepted(operation), .. SqliteOrigin.Values(operation.Origin)]).Single()));

    public Task<bool> AddAsync(ClientOperation operation, Grounds grounds, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session => SqliteGrounds.Hold(session, grounds, time.GetUtcNow()) && session.Change(
            $"INSERT INTO client_operations ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            operation.Id,
            JsonSerializer.Serialize(operation.Origin, DcrJson.Default.OriginFilter),
            (long)operation.Becomes,
            operation.Actor.ClientId,
            operation.Actor.Kid,
            operation.StartedAt.ToUnixTimeMilliseconds(),
            operation.DryRun ? 1L : 0L,
            operation.Matched,
            operation.Changed,
            operation.Done ? 1L : 0L,
            operation.After?.CreatedAt.ToUnixTimeMilliseconds(),
            operation.After?.ClientId,
            Accepted(operation)) == 1,
        cancellationToken);

    public Task<ClientOperation?> FindAsync(string id, CancellationToken cancellationToken) => Task.FromResult(storage.Main.Read(session => Find(session, id)));

    public Task<IReadOnlyList<ClientOperation>> ListUnfinishedAsync(int limit, CancellationToken cancellationToken)
    {
        IReadOnlyList<ClientOperation> found = storage.Main.Read(session =>
            session.Read(ReadRow, $"SELECT {Columns} FROM client_operations WHERE done = 0 ORDER BY id LIMIT $1", limit));
        return Task.FromResult(found);
    }

    public Task<ClientOperation> StepAsync(ClientOperation operation, int limit, Func<string, ClientStatus, AuditRecord> record, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session =>
        {
            // Another node may have come further.
            var stored = Find(session, operation.Id) ?? operation;
            if (stored.Done)
            {
                return stored;
            }
            var next = session.Read(
                row => new Next(row.GetString(0), (ClientStatus)row.GetInt32(1), row.GetInt64(2), row.IsDBNull(3) ? null : row.GetString(3), row.IsDBNull(4) ? null : row.GetInt64(4)),
                $"""
                SELECT client_id, status, created_at, onboarding_client, status_index FROM clients
                WHERE {SqliteOrigin.Where(stored.Origin, first: 6)}{Concerned(stored, accepted: 5)} AND (created_at, client_id) > ($1, $2) AND created_at <= $3
                ORDER BY created_at, client_id LIMIT $4
                """,
                [
                    stored.After?.CreatedAt.ToUnixTimeMilliseconds() ?? long.MinValue,
                    stored.After?.ClientId ?? "",
                    stored.StartedAt.ToUnixTimeMilliseconds(),
                    limit,
                    Accepted(stored),
                    .. SqliteOrigin.Values(stored.Origin),
                ]);
            next.ForEach(client => Change(session, client, stored.Becomes, record));
            var stepped = stored with
            {
                Changed = stored.Changed + next.Count,
                Done = next.Count < limit,
                After = next.Count == 0 ? stored.After : new ClientCursor(DateTimeOffset.FromUnixTimeMilliseconds(next[^1].CreatedAt), next[^1].ClientId),
            };
            session.Change(
                "UPDATE client_operations SET changed = $2, done = $3, after_created_at = $4, after_client_id = $5 WHERE id = $1",
                stepped.Id,
                stepped.Changed,
                stepped.Done ? 1L : 0L,
                stepped.After?.CreatedAt.ToUnixTimeMilliseconds(),
                stepped.After?.ClientId);
            return stepped;
        },
        cancellationToken);

    private static void Change(SqliteSession session, Next client, ClientStatus becomes, Func<string, ClientStatus, AuditRecord> record)
    {
        session.Change("UPDATE clients SET status = $2, version = version + 1 WHERE client_id = $1", client.ClientId, (long)becomes);
        if (client.Status.IsLive() && !becomes.IsLive())
        {
            SqliteRegistrationCounts.Release(session, client.OnboardingClient);
        }
        SqliteStatusListStore.UseUp(session, client.ClientId, client.StatusIndex);
        SqliteAuditStore.Insert(session, record(client.ClientId, client.Status));
    }

    /// <param name="accepted">The number of the parameter with <see cref="Accepted"/>.</param>
    private static string Concerned(ClientOperation operation, int accepted)
    {
        var status = $"+status IN ({string.Join(", ", operation.Changes.Select(status => (int)status))})";
        return operation.UnlessRestingOn is null ? status : $"""
            {status} AND +software_statement_issuer IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM json_each(${accepted}) AS accepted WHERE accepted.value ->> 'issuer' = software_statement_issuer
                AND (accepted.value ->> 'software_id' IS NULL OR accepted.value ->> 'software_id' = software_id))
            """;
    }

    private static string? Accepted(ClientOperation operation) =>
        operation.UnlessRestingOn is { } accepted ? JsonSerializer.Serialize(accepted, DcrJson.Default.IReadOnlyListStatementOrigin) : null;

    private static ClientOperation? Find(SqliteSession session, string id) =>
        session.Read(ReadRow, $"SELECT {Columns} FROM client_operations WHERE id = $1", id).SingleOrDefault();

    private static ClientOperation ReadRow(SqliteDataReader row) => new()
    {
        Id = row.GetString(0),
        Origin = JsonSerializer.Deserialize(row.GetString(1), DcrJson.Default.OriginFilter)!,
        Becomes = (ClientStatus)row.GetInt32(2),
        Actor = new AuditActor(row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4)),
        StartedAt = DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)),
        DryRun = row.GetBoolean(6),
        Matched = row.GetInt64(7),
        Changed = row.GetInt64(8),
        Done = row.GetBoolean(9),
        UnlessRestingOn = row.IsDBNull(12) ? null : JsonSerializer.Deserialize(row.GetString(12), DcrJson.Default.IReadOnlyListStatementOrigin),
        After = row.IsDBNull(10) ? null : new ClientCursor(DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(10)), row.GetString(11)),
    };

    private sealed record Next(string ClientId, ClientStatus Status, long CreatedAt, string? OnboardingClient, long? StatusIndex);
}
