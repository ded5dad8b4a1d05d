using System.Text.Json;
using Dcr.Administration;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>
/// Each client that an operation changes is marked with it, in the same write. How many it has changed is counted by the marks
/// when the operation moves past a batch, which one node does: so a batch that was done half or twice counts once.
/// </summary>
internal sealed class MongoDbClientOperationStore(
    MongoDbStorage storage, MongoDbEffects effects, MongoDbRegistrationCounts counts, MongoDbStatusListStore statuses, MongoDbOutboxWorker worker) : IClientOperationStore
{
    // It grows with the number of clients, unlike all else.
    private static readonly TimeSpan s_countPatience = TimeSpan.FromSeconds(8);

    // Operations of earlier versions have no status.
    private static readonly FilterDefinition<BsonDocument> s_made = Builders<BsonDocument>.Filter.Ne("status", MongoDbEffects.Pending);

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    public Task<long> CountAsync(ClientOperation operation, CancellationToken cancellationToken) => MongoDbFault.GuardAsync(() => storage.Patiently(storage.Clients).CountDocumentsAsync(
        Concerned(operation) & ToChange(operation), new CountOptions { MaxTime = s_countPatience }, cancellationToken));

    public async Task<bool> AddAsync(ClientOperation operation, Grounds grounds, CancellationToken cancellationToken) =>
        await effects.InsertAsync(storage.ClientOperations, Document(operation), grounds, cancellationToken) == EffectOutcome.Done;

    public async Task<ClientOperation?> FindAsync(string id, CancellationToken cancellationToken) =>
        await MongoDbFault.GuardAsync(() => storage.ClientOperations.Find(Where.Eq("_id", id) & s_made).SingleOrDefaultAsync(cancellationToken)) is { } found ? Read(found) : null;

    public async Task<IReadOnlyList<ClientOperation>> ListUnfinishedAsync(int limit, CancellationToken cancellationToken)
    {
        var found = storage.ClientOperations.Find(Where.Eq("done", false) & s_made).Sort(Builders<BsonDocument>.Sort.Ascending("_id")).Limit(limit);
        return [.. (await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken))).Select(Read)];
    }

    public async Task<ClientOperation> StepAsync(ClientOperation operation, int limit, Func<string, ClientStatus, AuditRecord> record, CancellationToken cancellationToken)
    {
        // Another node may have come further.
        var stored = await FindAsync(operation.Id, cancellationToken) ?? operation;
        if (stored.Done)
        {
            return stored;
        }
        var next = await NextAsync(stored, limit, cancellationToken);
        await ChangeAsync(stored, next, record, cancellationToken);
        var changed = next.Count == 0 ? 0 : await MongoDbFault.GuardAsync(() => storage.Clients.CountDocumentsAsync(WithIds(next) & Marked(stored), cancellationToken: cancellationToken));
        var stepped = stored with
        {
            Changed = stored.Changed + changed,
            Done = next.Count < limit,
            After = next.Count == 0 ? stored.After : new ClientCursor(DateTimeOffset.FromUnixTimeMilliseconds(next[^1]["created_at"].AsInt64), next[^1]["_id"].AsString),
        };
        // Only from where this step began: of two nodes that did it, one moves on.
        var moved = await MongoDbFault.GuardAsync(() => storage.ClientOperations.ReplaceOneAsync(
            Where.Eq("_id", stored.Id) & Where.Eq("after_client_id", stored.After?.ClientId) & Where.Eq("done", false), Document(stepped), cancellationToken: cancellationToken));
        return moved.MatchedCount == 1 ? stepped : await FindAsync(stored.Id, cancellationToken) ?? stepped;
    }

    private async Task<List<BsonDocument>> NextAsync(ClientOperation operation, int limit, CancellationToken cancellationToken)
    {
        var where = Concerned(operation) & (ToChange(operation) | Marked(operation));
        if (operation.After is { } after)
        {
            var createdAt = after.CreatedAt.ToUnixTimeMilliseconds();
            where &= Where.Gte("created_at", createdAt) & (Where.Gt("created_at", createdAt) | Where.Gt("_id", after.ClientId));
        }
        var found = storage.Clients.Find(where).Project(s_state).Sort(Builders<BsonDocument>.Sort.Ascending("created_at").Ascending("_id")).Limit(limit);
        return await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken));
    }

    private static readonly ProjectionDefinition<BsonDocument> s_state =
        Builders<BsonDocument>.Projection.Include("status").Include("version").Include("created_at").Include("onboarding_client").Include("operations");

    /// <summary>Until every client of the batch has been changed, or needs it no more.</summary>
    private async Task ChangeAsync(ClientOperation operation, List<BsonDocument> clients, Func<string, ClientStatus, AuditRecord> record, CancellationToken cancellationToken)
    {
        var left = clients.Where(client => !IsMarked(operation, client)).ToList();
        while (left.Count > 0)
        {
            await MongoDbFault.GuardAsync(() => storage.Clients.BulkWriteAsync(
                left.Select(client => Change(operation, client, record)), new BulkWriteOptions { IsOrdered = false }, cancellationToken));
            await CarryOnAsync(left, cancellationToken);
            await effects.VoidAsync(left.Select(client => client["_id"].AsString));
            left.ForEach(client => worker.Notify(client["_id"].AsString));
            await ReleaseAsync(operation, left, cancellationToken);
            // Somebody else was faster with some of them: once more, as they are now.
            left = await MongoDbFault.GuardAsync(() => storage.Clients.Find(WithIds(left) & ToChange(operation) & Where.Not(Marked(operation))).Project(s_state).ToListAsync(cancellationToken));
        }
    }

    private async Task CarryOnAsync(List<BsonDocument> clients, CancellationToken cancellationToken)
    {
        var stopped = storage.Clients.Find(WithIds(clients) & Where.Exists(MongoDbStatusListStore.UsedUp)).Project(Builders<BsonDocument>.Projection.Include(MongoDbStatusListStore.UsedUp));
        await statuses.CarryOnAsync(await MongoDbFault.GuardAsync(() => stopped.ToListAsync(cancellationToken)), cancellationToken);
    }

    private async Task ReleaseAsync(ClientOperation operation, List<BsonDocument> clients, CancellationToken cancellationToken)
    {
        if (operation.Becomes.IsLive())
        {
            return;
        }
        foreach (var onboardingClient in clients.Select(client => client["onboarding_client"]).OfType<BsonString>().Distinct())
        {
            await counts.ReleaseAsync(onboardingClient.Value, cancellationToken);
        }
    }

    private static WriteModel<BsonDocument> Change(ClientOperation operation, BsonDocument client, Func<string, ClientStatus, AuditRecord> record)
    {
        var status = (ClientStatus)client["status"].AsInt32;
        var version = client["version"].AsInt64 + 1;
        var change = Set.Set("status", (int)operation.Becomes).Set("version", version).Push("operations", operation.Id)
            .Rename(MongoDbStatusListStore.Index, MongoDbStatusListStore.UsedUp);
        if (status.IsLive() && !operation.Becomes.IsLive() && client["onboarding_client"].IsString)
        {
            change = change.Set("release", version);
        }
        return new UpdateOneModel<BsonDocument>(
            Where.Eq("_id", client["_id"]) & Where.Eq("version", client["version"]) & Where.Exists(MongoDbStatusListStore.UsedUp, false),
            MongoDbClientChange.Recorded(change, record(client["_id"].AsString, status)));
    }

    private static FilterDefinition<BsonDocument> WithIds(List<BsonDocument> clients) => Where.In("_id", clients.Select(client => client["_id"]));

    private static FilterDefinition<BsonDocument> ToChange(ClientOperation operation) => Where.In("status", operation.Changes.Select(status => (int)status));

    private static FilterDefinition<BsonDocument> Marked(ClientOperation operation) => Where.Eq("operations", operation.Id);

    private static bool IsMarked(ClientOperation operation, BsonDocument client) => client.GetValue("operations", new BsonArray()).AsBsonArray.Contains(operation.Id);

    private static FilterDefinition<BsonDocument> Concerned(ClientOperation operation)
    {
        var where = MongoDbClientDocument.Where(operation.Origin) & Where.Lte("created_at", operation.StartedAt.ToUnixTimeMilliseconds());
        if (operation.UnlessRestingOn is not { } accepted)
        {
            return where;
        }
        where &= Where.Ne("software_statement_issuer", BsonNull.Value) & Where.Exists("software_statement_issuer");
        return accepted.Aggregate(where, (all, statement) => all & Where.Not(Where.And(Matches(statement))));
    }

    private static IEnumerable<FilterDefinition<BsonDocument>> Matches(StatementOrigin statement)
    {
        yield return Where.Eq("software_statement_issuer", statement.Issuer);
        if (statement.SoftwareId is { } softwareId)
        {
            yield return Where.Eq("software_id", softwareId);
        }
    }

    private static BsonDocument Document(ClientOperation operation) => new("_id", operation.Id)
    {
        { "status", 0 },
        { "origin", JsonSerializer.Serialize(operation.Origin, DcrJson.Default.OriginFilter) },
        {
            "unless_resting_on",
            operation.UnlessRestingOn is { } accepted ? JsonSerializer.Serialize(accepted, DcrJson.Default.IReadOnlyListStatementOrigin) : BsonNull.Value
        },
        { "becomes", (int)operation.Becomes },
        { "actor", operation.Actor.ClientId },
        { "actor_kid", operation.Actor.Kid is null ? BsonNull.Value : operation.Actor.Kid },
        { "started_at", operation.StartedAt.ToUnixTimeMilliseconds() },
        { "dry_run", operation.DryRun },
        { "matched", operation.Matched },
        { "changed", operation.Changed },
        { "done", operation.Done },
        { "after_created_at", operation.After is null ? BsonNull.Value : operation.After.CreatedAt.ToUnixTimeMilliseconds() },
        { "after_client_id", operation.After is null ? BsonNull.Value : operation.After.ClientId },
    };

    private static ClientOperation Read(BsonDocument document) => new()
    {
        Id = document["_id"].AsString,
        Origin = JsonSerializer.Deserialize(document["origin"].AsString, DcrJson.Default.OriginFilter)!,
        UnlessRestingOn = document["unless_resting_on"] is BsonString accepted ? JsonSerializer.Deserialize(accepted.Value, DcrJson.Default.IReadOnlyListStatementOrigin) : null,
        Becomes = (ClientStatus)document["becomes"].AsInt32,
        Actor = new AuditActor(document["actor"].AsString, document["actor_kid"] is BsonString kid ? kid.Value : null),
        StartedAt = DateTimeOffset.FromUnixTimeMilliseconds(document["started_at"].AsInt64),
        DryRun = document["dry_run"].AsBoolean,
        Matched = document["matched"].AsInt64,
        Changed = document["changed"].AsInt64,
        Done = document["done"].AsBoolean,
        After = document["after_client_id"] is BsonString clientId
            ? new ClientCursor(DateTimeOffset.FromUnixTimeMilliseconds(document["after_created_at"].AsInt64), clientId.Value)
            : null,
    };
}
