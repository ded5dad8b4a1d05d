using System.Text.Json;
using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// Each client that an operation changes is marked with it, in the same write. How many it has changed is counted by the marks
/// when the operation moves past a batch, which one node does: so a batch that was done half or twice counts once. There is no moment at
/// which the whole origin can be seen as it is; but a look at it from the oldest to the newest finds every client that was there when the
/// look began.
/// </summary>
internal sealed class MongoDbClientOperationStore(
    MongoDbStorage storage,
    MongoDbEffects effects,
    MongoDbRegistrationCounts counts,
    MongoDbStatusListStore statuses,
    MongoDbOutboxWorker worker) : IClientOperationStore
{
    private const string Record = "record";
    private const int MaxAttempts = 50;

    // It grows with the number of clients, unlike all else.
    private static readonly TimeSpan s_countPatience = TimeSpan.FromSeconds(8);

    // Operations of earlier versions have no status.
    private static readonly FilterDefinition<BsonDocument> s_made = Builders<BsonDocument>.Filter.Ne("status", MongoDbEffects.Pending);

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    // The count of what is not active goes by the status, of which few clients have another.
    private static readonly CountOptions s_byStatus = new()
    {
        MaxTime = s_countPatience,
        Hint = new BsonDocument { { "status", 1 }, { "created_at", 1 }, { "_id", 1 } },
    };

    public async Task<long> CountAsync(ClientOperation operation, CancellationToken cancellationToken)
    {
        if (operation.UnlessRestingOn is not null
            || operation.Origin != new OriginFilter { OnboardingClient = operation.Origin.OnboardingClient })
        {
            return await MongoDbFault.GuardAsync(() => storage.Patiently(storage.Clients).CountDocumentsAsync(
                Concerned(operation) & ToChange(operation), new CountOptions { MaxTime = s_countPatience }, cancellationToken));
        }
        Task<long> CountOfAsync(ClientStatus status) =>
            MongoDbFault.GuardAsync(() => storage.Patiently(storage.Clients).CountDocumentsAsync(
            Where.Eq("status", (int)status) & Concerned(operation), s_byStatus, cancellationToken));
        var live = operation.Becomes == ClientStatus.Active
            ? 0
            : await counts.LiveAsync(operation.Origin.OnboardingClient!, cancellationToken);
        return operation.Becomes switch
        {
            ClientStatus.Revoked => live + await CountOfAsync(ClientStatus.Expired),
            ClientStatus.Suspended => live - await CountOfAsync(ClientStatus.Suspended),
            _ => await CountOfAsync(ClientStatus.Suspended) + await CountOfAsync(ClientStatus.Expired),
        };
    }

    public async Task<bool> AddAsync(ClientOperation operation, AuditRecord? record, Grounds grounds, CancellationToken cancellationToken)
    {
        var document = Document(operation);
        if (record is not null)
        {
            document[Record] = MongoDbAuditDocument.Of(record);
        }
        if (await effects.InsertAsync(storage.ClientOperations, document, grounds, cancellationToken) != EffectOutcome.Done)
        {
            return false;
        }
        await RecordAsync(document, cancellationToken);
        return true;
    }

    public async Task<ClientOperation?> FindAsync(string id, CancellationToken cancellationToken) =>
        await FindDocumentAsync(id, cancellationToken) is { } found ? Read(found) : null;

    public async Task<IReadOnlyList<ClientOperation>> ListUnfinishedAsync(string? after, int limit, CancellationToken cancellationToken)
    {
        var found = storage.ClientOperations.Find(Where.Eq("done", false) & s_made & Where.Gt("_id", after ?? ""))
            .Sort(Builders<BsonDocument>.Sort.Ascending("_id"))
            .Limit(limit);
        return [.. (await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken))).Select(Read)];
    }

    public async Task<ClientOperation> StepAsync(
        ClientOperation operation, int limit, Func<string, ClientStatus, AuditRecord> record, CancellationToken cancellationToken)
    {
        // Another node may have come further.
        var stored = await RecordedAsync(operation, cancellationToken);
        if (stored.Done)
        {
            return stored;
        }
        if (stored is { After: null, Passes: > 0 })
        {
            var left = await ListNextAsync(stored, from: null, limit: 1, cancellationToken);
            if (left.Count == 0)
            {
                return await MoveAsync(stored, stored with { Done = true }, cancellationToken);
            }
        }
        var next = await ListNextAsync(stored, stored.After, limit, cancellationToken);
        await ChangeAsync(stored, next, record, cancellationToken);
        var changed = next.Count == 0
            ? 0
            : await MongoDbFault.GuardAsync(
                () => storage.Clients.CountDocumentsAsync(WithIds(next) & Marked(stored), cancellationToken: cancellationToken));
        var isAtEnd = next.Count < limit;
        return await MoveAsync(
            stored,
            stored with
            {
                Changed = stored.Changed + changed,
                // The last look began with the oldest, so it has come to all that were there when it began.
                Done = isAtEnd && (stored.Passes >= IClientOperationStore.MaxPasses || (next.Count == 0 && stored.After is null)),
                Passes = isAtEnd ? stored.Passes + 1 : stored.Passes,
                After = isAtEnd ? null : Cursor(next[^1]),
            },
            cancellationToken);
    }

    public async Task<IReadOnlyList<ClientCursor>> NextAsync(ClientOperation operation, int limit, CancellationToken cancellationToken)
    {
        await RecordedAsync(operation, cancellationToken);
        return [.. (await ListNextAsync(operation, operation.After, limit, cancellationToken)).Select(Cursor)];
    }

    public async Task<ClientOperation> CountChangedAsync(ClientOperation operation, long more, CancellationToken cancellationToken)
    {
        await MongoDbFault.GuardAsync(() => storage.ClientOperations.UpdateOneAsync(
            Where.Eq("_id", operation.Id), Set.Inc("changed", more), cancellationToken: cancellationToken));
        return await FindAsync(operation.Id, cancellationToken) ?? operation;
    }

    public async Task<ClientOperation> MoveAsync(ClientOperation read, ClientOperation moved, CancellationToken cancellationToken)
    {
        // Only from where it stood: of two nodes that did the same, one moves on.
        var stands = Where.Eq("_id", read.Id) & Where.Eq("done", false) & Where.Eq("changed", read.Changed)
            & Where.Eq("after_client_id", read.After?.ClientId)
            & (read.Passes == 0 ? Where.In("passes", new BsonValue[] { 0, BsonNull.Value }) : Where.Eq("passes", read.Passes));
        var replaced = await MongoDbFault.GuardAsync(
            () => storage.ClientOperations.ReplaceOneAsync(stands, Document(moved), cancellationToken: cancellationToken));
        return replaced.MatchedCount == 1 ? moved : await FindAsync(read.Id, cancellationToken) ?? moved;
    }

    private async Task<BsonDocument?> FindDocumentAsync(string id, CancellationToken cancellationToken) =>
        await MongoDbFault.GuardAsync(
            () => storage.ClientOperations.Find(Where.Eq("_id", id) & s_made).SingleOrDefaultAsync(cancellationToken));

    /// <summary>The operation as it is stored, once its record is in the audit trail: a node may have ended between the two.</summary>
    private async Task<ClientOperation> RecordedAsync(ClientOperation operation, CancellationToken cancellationToken)
    {
        if (await FindDocumentAsync(operation.Id, cancellationToken) is not { } document)
        {
            return operation;
        }
        await RecordAsync(document, cancellationToken);
        return Read(document);
    }

    private async Task RecordAsync(BsonDocument operation, CancellationToken cancellationToken)
    {
        if (!operation.Contains(Record))
        {
            return;
        }
        try
        {
            await MongoDbFault.GuardAsync(
                () => storage.Audit.InsertOneAsync(operation[Record].AsBsonDocument, options: null, cancellationToken));
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            // By another node at this moment, or by one that ended right after.
        }
        await MongoDbFault.GuardAsync(
            () =>
                storage.ClientOperations.UpdateOneAsync(
                    Where.Eq("_id", operation["_id"]), Set.Unset(Record), cancellationToken: cancellationToken));
    }

    private async Task<List<BsonDocument>> ListNextAsync(
        ClientOperation operation, ClientCursor? from, int limit, CancellationToken cancellationToken)
    {
        var where = Concerned(operation) & (Left(operation) | Marked(operation));
        if (from is { } after)
        {
            var createdAt = after.CreatedAt.ToUnixTimeMilliseconds();
            where &= Where.Gte("created_at", createdAt) & (Where.Gt("created_at", createdAt) | Where.Gt("_id", after.ClientId));
        }
        var found = storage.Clients.Find(where)
            .Project(s_state)
            .Sort(Builders<BsonDocument>.Sort.Ascending("created_at").Ascending("_id"))
            .Limit(limit);
        return await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken));
    }

    private static ClientCursor Cursor(BsonDocument client) =>
        new(DateTimeOffset.FromUnixTimeMilliseconds(client["created_at"].AsInt64), client["_id"].AsString);

    private static readonly ProjectionDefinition<BsonDocument> s_state =
        Builders<BsonDocument>.Projection.Include("status")
            .Include("version")
            .Include("created_at")
            .Include("onboarding_client")
            .Include("operations");

    /// <summary>
    /// Until every client of the batch has been changed, or needs it no more. One that others change without pause keeps the operation from
    /// moving on, for now.
    /// </summary>
    private async Task ChangeAsync(
        ClientOperation operation,
        List<BsonDocument> clients,
        Func<string, ClientStatus, AuditRecord> record,
        CancellationToken cancellationToken)
    {
        var left = clients.Where(client => !IsMarked(operation, client)).ToList();
        for (var attempt = 0; left.Count > 0; attempt++)
        {
            if (attempt == MaxAttempts)
            {
                throw new StoreUnavailableException(
                    $"Of operation {operation.Id}, {left.Count} clients are being changed by others without pause; it goes on at the next "
                        + "look.");
            }
            await MongoDbFault.GuardAsync(() => storage.Clients.BulkWriteAsync(
                left.Select(client => Change(operation, client, record)), new BulkWriteOptions { IsOrdered = false }, cancellationToken));
            await CarryOnAsync(left, cancellationToken);
            await effects.VoidAsync(left.Select(client => client["_id"].AsString));
            left.ForEach(client => worker.Notify(client["_id"].AsString));
            await ReleaseAsync(operation, left, cancellationToken);
            // Somebody else was faster with some of them: once more, as they are now.
            left = await MongoDbFault.GuardAsync(
                () => storage.Clients.Find(WithIds(left) & Left(operation)).Project(s_state).ToListAsync(cancellationToken));
        }
    }

    private async Task CarryOnAsync(List<BsonDocument> clients, CancellationToken cancellationToken)
    {
        var stopped = storage.Clients.Find(WithIds(clients) & Where.Exists(MongoDbStatusListStore.UsedUp)).Project(
            Builders<BsonDocument>.Projection.Include(MongoDbStatusListStore.UsedUp));
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

    private static WriteModel<BsonDocument> Change(
        ClientOperation operation, BsonDocument client, Func<string, ClientStatus, AuditRecord> record)
    {
        var status = (ClientStatus)client["status"].AsInt32;
        var version = client["version"].AsInt64 + 1;
        var change = Set.Set("status", (int)operation.Becomes).Set("version", version).PushEach("operations", Marks(operation))
            .Rename(MongoDbStatusListStore.Index, MongoDbStatusListStore.UsedUp);
        if (status.IsLive() && !operation.Becomes.IsLive() && client["onboarding_client"].IsString)
        {
            change = change.Set("release", version);
        }
        return new UpdateOneModel<BsonDocument>(
            Where.Eq("_id", client["_id"]) & Where.Eq("version", client["version"]) & Where.Exists(MongoDbStatusListStore.UsedUp, false),
            MongoDbClientChange.Recorded(change, record(client["_id"].AsString, status)));
    }

    private static FilterDefinition<BsonDocument> WithIds(List<BsonDocument> clients) =>
        Where.In("_id", clients.Select(client => client["_id"]));

    private static FilterDefinition<BsonDocument> ToChange(ClientOperation operation) =>
        Where.In("status", operation.Changes.Select(status => (int)status));

    /// <summary>Those that it has not changed yet. One that it has, in this pass or before, is left to whoever changed it since.</summary>
    private static FilterDefinition<BsonDocument> Left(ClientOperation operation) =>
        ToChange(operation) & Where.Ne("operations", operation.Id);

    /// <summary>
    /// The operation, and from the second pass on the pass too: what is changed in it is counted when the operation moves past its batch.
    /// </summary>
    private static string[] Marks(ClientOperation operation) => operation.Passes == 0 ? [operation.Id] : [operation.Id, MarkOf(operation)];

    private static string MarkOf(ClientOperation operation) => operation.Passes == 0 ? operation.Id : $"{operation.Id} {operation.Passes}";

    private static FilterDefinition<BsonDocument> Marked(ClientOperation operation) => Where.Eq("operations", MarkOf(operation));

    private static bool IsMarked(ClientOperation operation, BsonDocument client) =>
        client.GetValue("operations", new BsonArray()).AsBsonArray.Contains(MarkOf(operation));

    private static FilterDefinition<BsonDocument> Concerned(ClientOperation operation)
    {
        var where = MongoDbClientDocument.Where(operation.Origin);
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
        { "origin", JsonSerializer.Serialize(operation.Origin, ClientsJson.Default.OriginFilter) },
        {
            "unless_resting_on",
            operation.UnlessRestingOn is { } accepted
                ? JsonSerializer.Serialize(accepted, ClientsJson.Default.IReadOnlyListStatementOrigin)
                : BsonNull.Value
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
        { "passes", operation.Passes },
    };

    private static ClientOperation Read(BsonDocument document) => new()
    {
        Id = document["_id"].AsString,
        Origin = JsonSerializer.Deserialize(document["origin"].AsString, ClientsJson.Default.OriginFilter)!,
        UnlessRestingOn = document["unless_resting_on"] is BsonString accepted
            ? JsonSerializer.Deserialize(accepted.Value, ClientsJson.Default.IReadOnlyListStatementOrigin)
            : null,
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
        Passes = document.GetValue("passes", 0).AsInt32,
    };
}
