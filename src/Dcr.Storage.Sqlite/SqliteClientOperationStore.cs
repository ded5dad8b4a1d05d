using System.Text.Json;
using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Protocol;
using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

/// <summary>
/// A step and how far the operation has come are one transaction, so nothing is done or counted twice. The operation is done when a state
/// of the database was seen in which nothing of the origin is left; where clients keep coming, when the writer has made one.
/// </summary>
internal sealed class SqliteClientOperationStore(SqliteStorage storage, TimeProvider time) : IClientOperationStore
{
    private const string Columns = "id, origin, becomes, actor, actor_kid, started_at, dry_run, matched, changed, done, after_created_at, "
        + "after_client_id, unless_resting_on, passes";

    public Task<long> CountAsync(ClientOperation operation, CancellationToken cancellationToken) =>
        Task.FromResult(storage.Main.Read(session =>
        operation.UnlessRestingOn is null && operation.Origin == new OriginFilter { OnboardingClient = operation.Origin.OnboardingClient }
            ? CountKept(session, operation.Origin.OnboardingClient!, operation.Becomes)
            : session.Read(
                row => row.GetInt64(0),
                $"SELECT count(*) FROM clients WHERE {SqliteOrigin.Where(operation.Origin, first: 2)}{Concerned(operation, accepted: 1)}",
                [Accepted(operation), .. SqliteOrigin.Values(operation.Origin)]).Single()));

    public Task<bool> AddAsync(ClientOperation operation, AuditRecord? record, Grounds grounds, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session =>
        {
            if (!SqliteGrounds.Hold(session, grounds, time.GetUtcNow()))
            {
                return false;
            }
            session.Change(
                $"INSERT INTO client_operations ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
                operation.Id,
                JsonSerializer.Serialize(operation.Origin, ClientsJson.Default.OriginFilter),
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
                Accepted(operation),
                (long)operation.Passes);
            if (record is not null)
            {
                SqliteAuditStore.Insert(session, record);
            }
            return true;
        },
        cancellationToken);

    public Task<ClientOperation?> FindAsync(string id, CancellationToken cancellationToken) =>
        Task.FromResult(storage.Main.Read(session => Find(session, id)));

    public Task<IReadOnlyList<ClientOperation>> ListUnfinishedAsync(string? after, int limit, CancellationToken cancellationToken)
    {
        IReadOnlyList<ClientOperation> found = storage.Main.Read(session =>
            session.Read(
                ReadRow, $"SELECT {Columns} FROM client_operations WHERE done = 0 AND id > $2 ORDER BY id LIMIT $1", limit, after ?? ""));
        return Task.FromResult(found);
    }

    public async Task<ClientOperation> StepAsync(
        ClientOperation operation, int limit, Func<string, ClientStatus, AuditRecord> record, CancellationToken cancellationToken)
    {
        // Another node may have come further.
        var stored = storage.Main.Read(session => Find(session, operation.Id)) ?? operation;
        if (stored.Done)
        {
            return stored;
        }
        var from = stored.After;
        if (stored.After is null)
        {
            // Beside the writer, which others need: a state of the database in which nothing is left was there at some moment.
            if (storage.Main.Read(session => ListNext(session, stored, from: null, limit: 1)) is not [var first])
            {
                return await MoveAsync(stored, stored with { Done = true }, cancellationToken);
            }
            // Where clients keep coming, the last look is the writer's own, however long it takes.
            from = stored.Passes < IClientOperationStore.MaxPasses ? new ClientCursor(Time(first.CreatedAt - 1), "") : null;
        }
        return await storage.Main.WriteAsync(
            session =>
            {
                if (Find(session, stored.Id) is { } now && !StandsAt(now, stored))
                {
                    return now;
                }
                var next = ListNext(session, stored, from, limit);
                next.ForEach(client => Change(session, client, stored, record));
                var isAtEnd = next.Count < limit;
                var isDone = isAtEnd && from is null;
                return Store(session, stored with
                {
                    Changed = stored.Changed + next.Count,
                    Done = isDone,
                    Passes = isAtEnd && !isDone ? stored.Passes + 1 : stored.Passes,
                    After = isAtEnd ? null : new ClientCursor(Time(next[^1].CreatedAt), next[^1].ClientId),
                });
            },
            cancellationToken);
    }

    public Task<IReadOnlyList<ClientCursor>> NextAsync(ClientOperation operation, int limit, CancellationToken cancellationToken)
    {
        var next = storage.Main.Read(session => ListNext(session, operation, operation.After, limit));
        return Task.FromResult<IReadOnlyList<ClientCursor>>(
            [.. next.Select(client => new ClientCursor(Time(client.CreatedAt), client.ClientId))]);
    }

    public Task<ClientOperation> CountChangedAsync(ClientOperation operation, long more, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session =>
        {
            session.Change("UPDATE client_operations SET changed = changed + $2 WHERE id = $1", operation.Id, more);
            return Find(session, operation.Id) ?? operation;
        },
        cancellationToken);

    public Task<ClientOperation> MoveAsync(ClientOperation read, ClientOperation moved, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session => Find(session, read.Id) is { } now && !StandsAt(now, read) ? now : Store(session, moved), cancellationToken);

    private static bool StandsAt(ClientOperation now, ClientOperation read) =>
        !now.Done && now.Changed == read.Changed && now.Passes == read.Passes && now.After == read.After;

    private static ClientOperation Store(SqliteSession session, ClientOperation operation)
    {
        session.Change(
            "UPDATE client_operations SET changed = $2, done = $3, after_created_at = $4, after_client_id = $5, passes = $6 WHERE id = $1",
            operation.Id,
            operation.Changed,
            operation.Done ? 1L : 0L,
            operation.After?.CreatedAt.ToUnixTimeMilliseconds(),
            operation.After?.ClientId,
            (long)operation.Passes);
        if (operation.Done)
        {
            session.Change("DELETE FROM operation_clients WHERE operation = $1", operation.Id);
        }
        return operation;
    }

    private static List<Next> ListNext(SqliteSession session, ClientOperation operation, ClientCursor? from, int limit) => session.Read(
        row =>
            new Next(
                row.GetString(0),
                (ClientStatus)row.GetInt32(1),
                row.GetInt64(2),
                row.IsDBNull(3) ? null : row.GetString(3),
                row.IsDBNull(4) ? null : row.GetInt64(4)),
        $"""
        SELECT client_id, status, created_at, onboarding_client, status_index FROM clients
        WHERE {SqliteOrigin.Where(operation.Origin, first: 6)}{Concerned(operation, accepted: 5)} AND (created_at, client_id) > ($1, $2)
        AND NOT EXISTS (SELECT 1 FROM operation_clients WHERE operation = $4 AND operation_clients.client_id = clients.client_id)
        ORDER BY created_at, client_id LIMIT $3
        """,
        [
            from?.CreatedAt.ToUnixTimeMilliseconds() ?? long.MinValue,
            from?.ClientId ?? "",
            limit,
            operation.Id,
            Accepted(operation),
            .. SqliteOrigin.Values(operation.Origin),
        ]);

    /// <summary>By how many are live, which is kept, and how many are not active, which are few.</summary>
    private static long CountKept(SqliteSession session, string onboardingClient, ClientStatus becomes)
    {
        long Count(ClientStatus status) => session.Read(
            row => row.GetInt64(0),
            "SELECT count(*) FROM clients INDEXED BY clients_not_active WHERE onboarding_client = $1 AND status IN (1, 3) AND status = "
                + $"{(int)status}",
            onboardingClient).Single();
        return becomes switch
        {
            ClientStatus.Revoked => SqliteRegistrationCounts.Live(session, onboardingClient) + Count(ClientStatus.Expired),
            ClientStatus.Suspended => SqliteRegistrationCounts.Live(session, onboardingClient) - Count(ClientStatus.Suspended),
            _ => Count(ClientStatus.Suspended) + Count(ClientStatus.Expired),
        };
    }

    private static void Change(
        SqliteSession session, Next client, ClientOperation operation, Func<string, ClientStatus, AuditRecord> record)
    {
        var becomes = operation.Becomes;
        session.Change("UPDATE clients SET status = $2, version = version + 1 WHERE client_id = $1", client.ClientId, (long)becomes);
        if (client.Status.IsLive() && !becomes.IsLive())
        {
            SqliteRegistrationCounts.Release(session, client.OnboardingClient);
        }
        SqliteStatusListStore.UseUp(session, client.ClientId, client.StatusIndex);
        SqliteAuditStore.Insert(session, record(client.ClientId, client.Status));
        if (becomes != ClientStatus.Revoked)
        {
            // Whoever lets it go on while the operation runs is not undone by it.
            session.Change("INSERT INTO operation_clients (operation, client_id) VALUES ($1, $2)", operation.Id, client.ClientId);
        }
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
        operation.UnlessRestingOn is { } accepted
            ? JsonSerializer.Serialize(accepted, ClientsJson.Default.IReadOnlyListStatementOrigin)
            : null;

    private static ClientOperation? Find(SqliteSession session, string id) =>
        session.Read(ReadRow, $"SELECT {Columns} FROM client_operations WHERE id = $1", id).SingleOrDefault();

    private static ClientOperation ReadRow(SqliteDataReader row) => new()
    {
        Id = row.GetString(0),
        Origin = JsonSerializer.Deserialize(row.GetString(1), ClientsJson.Default.OriginFilter)!,
        Becomes = (ClientStatus)row.GetInt32(2),
        Actor = new AuditActor(row.GetString(3), row.IsDBNull(4) ? null : row.GetString(4)),
        StartedAt = Time(row.GetInt64(5)),
        DryRun = row.GetBoolean(6),
        Matched = row.GetInt64(7),
        Changed = row.GetInt64(8),
        Done = row.GetBoolean(9),
        UnlessRestingOn = row.IsDBNull(12)
            ? null
            : JsonSerializer.Deserialize(row.GetString(12), ClientsJson.Default.IReadOnlyListStatementOrigin),
        After = row.IsDBNull(10) ? null : new ClientCursor(Time(row.GetInt64(10)), row.GetString(11)),
        Passes = row.GetInt32(13),
    };

    private static DateTimeOffset Time(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);

    private sealed record Next(string ClientId, ClientStatus Status, long CreatedAt, string? OnboardingClient, long? StatusIndex);
}
