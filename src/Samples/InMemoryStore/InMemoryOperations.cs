using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Protocol;

namespace InMemoryStore;

/// <summary>An operation is done when a look that began with the oldest client has come to the end of the origin.</summary>
internal sealed class InMemoryOperations(InMemoryDatabase database, TimeProvider time) : IClientOperationStore
{
    public Task<long> CountAsync(ClientOperation operation, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.Clients.Values.LongCount(client => Concerns(operation, client)));

    public Task<bool> AddAsync(ClientOperation operation, AuditRecord? record, Grounds grounds, CancellationToken cancellationToken) =>
        database.ChangeAsync(time.GetUtcNow(), grounds, record, done: true, groundsChanged: false, () =>
        {
            database.Operations.Add(operation.Id, operation);
            return true;
        });

    public Task<ClientOperation?> FindAsync(string id, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.Operations.GetValueOrDefault(id));

    public Task<IReadOnlyList<ClientOperation>> ListUnfinishedAsync(string? after, int limit, CancellationToken cancellationToken) =>
        database.DoAsync<IReadOnlyList<ClientOperation>>(() =>
        [
            .. database.Operations.Values
                .Where(operation => !operation.Done && string.CompareOrdinal(operation.Id, after) > 0)
                .Take(limit),
        ]);

    public Task<ClientOperation> StepAsync(
        ClientOperation operation, int limit, Func<string, ClientStatus, AuditRecord> record, CancellationToken cancellationToken) =>
        database.DoAsync(() =>
        {
            var stored = database.Operations.GetValueOrDefault(operation.Id, operation);
            if (stored.Done)
            {
                return stored;
            }
            // Where clients keep coming, the last look is one step, however much it finds.
            var most = stored.Passes < IClientOperationStore.MaxPasses ? limit : int.MaxValue;
            var next = Next(stored, most);
            foreach (var client in next)
            {
                database.Put(client, client with { Status = stored.Becomes, Version = client.Version + 1 });
                database.StoppedBy.Add((stored.Id, client.ClientId));
                database.Audit.Add(record(client.ClientId, client.Status));
            }
            var isAtEnd = next.Count < most;
            return database.Operations[stored.Id] = stored with
            {
                Changed = stored.Changed + next.Count,
                Done = isAtEnd && stored.After is null,
                Passes = isAtEnd && stored.After is not null ? stored.Passes + 1 : stored.Passes,
                After = isAtEnd ? null : ClientCursor.Of(next[^1]),
            };
        });

    public Task<IReadOnlyList<ClientCursor>> NextAsync(ClientOperation operation, int limit, CancellationToken cancellationToken) =>
        database.DoAsync<IReadOnlyList<ClientCursor>>(() => [.. Next(operation, limit).Select(ClientCursor.Of)]);

    public Task<ClientOperation> CountChangedAsync(ClientOperation operation, long more, CancellationToken cancellationToken) =>
        database.DoAsync(() =>
        {
            var stored = database.Operations[operation.Id];
            return database.Operations[operation.Id] = stored with { Changed = stored.Changed + more };
        });

    public Task<ClientOperation> MoveAsync(ClientOperation read, ClientOperation moved, CancellationToken cancellationToken) =>
        database.DoAsync(() =>
        {
            var stored = database.Operations[read.Id];
            return (stored.Done, stored.Changed, stored.Passes, stored.After) == (false, read.Changed, read.Passes, read.After)
                ? database.Operations[read.Id] = moved
                : stored;
        });

    /// <summary>The oldest that the operation concerns and has not come to, also if somebody let one go on since.</summary>
    private List<Client> Next(ClientOperation operation, int limit) =>
    [
        .. database.Clients.Values
            .Where(client => Concerns(operation, client)
                && (operation.After is null || InMemoryDatabase.Compare(client, operation.After) > 0)
                && !database.StoppedBy.Contains((operation.Id, client.ClientId)))
            .OrderBy(client => client.CreatedAt).ThenBy(client => client.ClientId, StringComparer.Ordinal)
            .Take(limit),
    ];

    private static bool Concerns(ClientOperation operation, Client client) =>
        operation.Changes.Contains(client.Status)
        && InMemoryDatabase.IsFrom(operation.Origin, client.Origin)
        && (operation.UnlessRestingOn is not { } accepted || (client.Origin?.SoftwareStatement is { } statement
            && !accepted.Any(one => one.Issuer == statement.Issuer && (one.SoftwareId is null || one.SoftwareId == statement.SoftwareId))));
}
