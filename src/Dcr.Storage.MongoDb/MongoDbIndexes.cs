using Dcr.Protocol;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// The index that each query is served by. They make queries fast; what must be unique is unique by <c>_id</c>. So a node
/// does not wait for long ones: on a large collection, after an update, a build takes minutes.
/// </summary>
internal sealed partial class MongoDbIndexes(MongoDbStorage storage, TimeProvider time, ILogger<MongoDbIndexes> logger) : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_againAfter = TimeSpan.FromSeconds(30);

    // Documents expire by the server's clock: were it ahead, an assertion could be forgotten, and replayed, while it is
    // still accepted here. Late costs nothing but room.
    private static readonly TimeSpan s_keptAfterExpiry = TimeSpan.FromHours(1);

    private readonly CancellationTokenSource _stop = new();

    public void Dispose()
    {
        _stop.Cancel();
        _stop.Dispose();
    }

    /// <summary>Returns when all are there, or when it takes long: then they go on being built.</summary>
    public async Task MakeAsync(CancellationToken cancellationToken)
    {
        var stop = _stop.Token;
        var building = MakeAllAsync(stop);
        if (await Task.WhenAny(building, Task.Delay(s_patience, time, cancellationToken)) == building)
        {
            await building;
            return;
        }
        cancellationToken.ThrowIfCancellationRequested();
        LogBuilding(s_patience);
        _ = CarryOnAsync(building, stop);
    }

    private async Task CarryOnAsync(Task building, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await building;
                LogBuilt();
                return;
            }
            catch (StoreUnavailableException exception)
            {
                LogInterrupted(exception.Reason, s_againAfter);
            }
            catch (Exception exception) when (!stop.IsCancellationRequested)
            {
                LogFailed(exception, s_againAfter);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.Delay(s_againAfter, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            building = MakeAllAsync(stop);
        }
    }

    private async Task MakeAllAsync(CancellationToken cancellationToken)
    {
        await MakeAsync(
            storage.Clients,
            [
                MongoDbStorage.Ascending("created_at", "_id"),
                MongoDbStorage.Ascending("status", "created_at", "_id"),
                MongoDbStorage.Ascending(MongoDbClientDocument.Excepted, "created_at", "_id"),
                MongoDbStorage.Ascending("onboards", "created_at", "_id"),
                MongoDbStorage.Ascending("status", "review_at", "_id"),
                .. MongoDbClientDocument.OriginIndexes,
                Where(MongoDbClientDocument.Administers),
                Sparse("release"),
                Expiry(MongoDbClientDocument.FenceUntil, TimeSpan.Zero),
                Sparse("outbox_since"),
                Marks(),
            ],
            cancellationToken);
        await MakeAsync(storage.Audit, [MongoDbStorage.Ascending("subject", "_id")], cancellationToken);
        await MakeAsync(storage.UsedAssertions, [Expiry("expires_at", s_keptAfterExpiry)], cancellationToken);
        await MakeAsync(storage.InitialAccessTokens, [Expiry("expires_at", s_keptAfterExpiry)], cancellationToken);
        await MakeAsync(storage.RegistrationAnswers, [Expiry("expires_at", s_keptAfterExpiry)], cancellationToken);
        await MakeAsync(storage.RevokedTokens, [Expiry("expires_at", s_keptAfterExpiry)], cancellationToken);
        await MakeAsync(storage.StatusPages, [MongoDbStorage.Ascending("list", "page")], cancellationToken);
        await MakeAsync(storage.RegistrationCounts, [MongoDbStorage.Ascending("reserved.at")], cancellationToken);
        await MakeAsync(storage.ClientOperations, [MongoDbStorage.Ascending("done", "_id"), Marks()], cancellationToken);
        await MakeAsync(storage.SigningKeys, [Marks()], cancellationToken);
        await MakeAsync(storage.KeySets, [Sparse("outbox_since"), Marks()], cancellationToken);
        await MakeAsync(storage.QuarantinedKeys, [Sparse("outbox_since"), Marks()], cancellationToken);
        await MakeAsync(
            storage.KeyUses, [MongoDbStorage.Ascending("client_id"), Expiry("last_used_at", TimeSpan.FromDays(400))], cancellationToken);
    }

    private async Task MakeAsync(
        IMongoCollection<BsonDocument> collection,
        IReadOnlyList<CreateIndexModel<BsonDocument>> indexes,
        CancellationToken cancellationToken)
    {
        try
        {
            await MongoDbFault.GuardAsync(() => storage.Patiently(collection).Indexes.CreateManyAsync(indexes, cancellationToken));
        }
        catch (MongoCommandException)
        {
            // One that is there with other options stands in the way of all. Servers call that by different codes.
            var there = (
                await MongoDbFault.GuardAsync(
                    async () => await (await collection.Indexes.ListAsync(cancellationToken)).ToListAsync(cancellationToken)))
                .ToDictionary(index => index["key"].AsBsonDocument);
            List<CreateIndexModel<BsonDocument>> missing = [.. indexes.Where(index => !there.ContainsKey(KeysOf(index)))];
            if (missing.Count == indexes.Count)
            {
                throw;
            }
            foreach (var index in indexes.Except(missing))
            {
                await SettleAsync(collection, index, there[KeysOf(index)], cancellationToken);
            }
            if (missing.Count > 0)
            {
                await MongoDbFault.GuardAsync(() => storage.Patiently(collection).Indexes.CreateManyAsync(missing, cancellationToken));
            }
        }
    }

    /// <summary>
    /// An index on the same members, from another version or made by hand. When documents expire is set right; any other option stays,
    /// since all works with it as it is, if slowly.
    /// </summary>
    private async Task SettleAsync(
        IMongoCollection<BsonDocument> collection,
        CreateIndexModel<BsonDocument> index,
        BsonDocument there,
        CancellationToken cancellationToken)
    {
        var (name, keys) = (collection.CollectionNamespace.CollectionName, KeysOf(index));
        if (there.GetValue("sparse", false).ToBoolean() != (index.Options?.Sparse ?? false))
        {
            LogConflict(keys.ToString(), name);
        }
        if (index.Options?.ExpireAfter is { } expireAfter
            && there.GetValue("expireAfterSeconds", -1).ToInt64() != (long)expireAfter.TotalSeconds)
        {
            var setting = new BsonDocument { { "keyPattern", keys }, { "expireAfterSeconds", (long)expireAfter.TotalSeconds } };
            await storage.RunAsync(new BsonDocument { { "collMod", name }, { "index", setting } }, cancellationToken);
        }
    }

    private static BsonDocument KeysOf(CreateIndexModel<BsonDocument> index) =>
        ((BsonDocumentIndexKeysDefinition<BsonDocument>)index.Keys).Document;

    private static CreateIndexModel<BsonDocument> Sparse(string field) =>
        new(new BsonDocument(field, 1), new CreateIndexOptions { Sparse = true });

    // Of the few documents in which this member is true.
    private static CreateIndexModel<BsonDocument> Where(string field) =>
        new(new BsonDocument(field, 1), new CreateIndexOptions<BsonDocument> { PartialFilterExpression = new BsonDocument(field, true) });

    // Empty but for effects that are being made at this moment.
    private static CreateIndexModel<BsonDocument> Marks() => Sparse(MongoDbEffects.RestsOn);

    // The server removes what has expired some time later; nothing relies on when.
    private static CreateIndexModel<BsonDocument> Expiry(string field, TimeSpan after) =>
        new(new BsonDocument(field, 1), new CreateIndexOptions { ExpireAfter = after });

    [LoggerMessage(EventId = 3101, Level = LogLevel.Warning, Message =
        "Indexes have been under construction for {Patience}; the node starts, and what they serve is slow or answered 503 until they are "
            + "there")]
    private partial void LogBuilding(TimeSpan patience);

    [LoggerMessage(EventId = 3102, Level = LogLevel.Information, Message = "All indexes are there")]
    private partial void LogBuilt();

    [LoggerMessage(
        EventId = 3103, Level = LogLevel.Warning, Message = "Building indexes was interrupted ({Reason}); trying again in {AgainAfter}")]
    private partial void LogInterrupted(string reason, TimeSpan againAfter);

    [LoggerMessage(EventId = 3104, Level = LogLevel.Error, Message = "Building indexes failed; trying again in {AgainAfter}")]
    private partial void LogFailed(Exception exception, TimeSpan againAfter);

    [LoggerMessage(EventId = 3105, Level = LogLevel.Warning, Message =
        "The index on {Keys} of {Collection} has other options than this version makes; it stays. Drop it and start a node again to have "
            + "it made anew")]
    private partial void LogConflict(string keys, string collection);
}
