using Dcr.Keys;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>
/// Moves audit records from the documents they were written with, mostly clients, to the audit collection (decision 0003). Every step can be
/// repeated, by several nodes at once: a record that is there already is left, and an outbox is only emptied as it was read.
/// </summary>
internal sealed class MongoDbOutbox(MongoDbStorage storage, MongoDbRegistrationCounts counts, MongoDbStatusListStore statuses, MongoDbKeyUseStore uses)
{
    /// <summary>Clients moved together, in three round trips: as many as fit the first page of a cursor.</summary>
    public const int AtOnce = 100;

    private static readonly ProjectionDefinition<BsonDocument> s_outbox =
        Builders<BsonDocument>.Projection.Include("version").Include("status").Include("outbox").Include("onboarding_client")
            .Include("release").Include("reservation").Include(MongoDbStatusListStore.UsedUp);

    private static readonly FilterDefinition<BsonDocument> s_waiting = Where.Gt("outbox_since", 0L);

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    /// <summary>Moves the records that these clients, at most <see cref="AtOnce"/>, hold now. Finishes deletions.</summary>
    public async Task MoveAsync(IReadOnlyCollection<string> clientIds, CancellationToken cancellationToken) =>
        await MoveAsync(await ReadAsync(Where.In("_id", clientIds) & s_waiting, cancellationToken), cancellationToken);

    /// <summary>Moves the records about one client, key set or signing key.</summary>
    public async Task MoveSubjectAsync(string subject, CancellationToken cancellationToken)
    {
        await MoveAsync([subject], cancellationToken);
        await MoveAsync(storage.KeySets, await ReadAsync(storage.KeySets, Where.Eq("_id", subject) & s_waiting, cancellationToken), cancellationToken);
        await MoveAsync(storage.SigningKeys, await ReadAsync(storage.SigningKeys, Where.Eq("kid", subject) & s_waiting, cancellationToken), cancellationToken);
    }

    /// <summary>Moves everything that a node left behind when it ended, or has not come to yet.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        foreach (var collection in new[] { storage.Clients, storage.KeySets, storage.SigningKeys })
        {
            // A tombstone may have to stay for now; once round without any progress is enough.
            while (await MoveAsync(collection, await ReadAsync(collection, s_waiting, cancellationToken), cancellationToken) == AtOnce)
            {
            }
        }
    }

    internal Task<List<BsonDocument>> ReadAsync(FilterDefinition<BsonDocument> where, CancellationToken cancellationToken) =>
        ReadAsync(storage.Clients, where, cancellationToken);

    internal Task MoveAsync(IReadOnlyCollection<BsonDocument> waiting, CancellationToken cancellationToken) => MoveAsync(storage.Clients, waiting, cancellationToken);

    private static Task<List<BsonDocument>> ReadAsync(IMongoCollection<BsonDocument> collection, FilterDefinition<BsonDocument> where, CancellationToken cancellationToken) =>
        collection.Find(where).Project(s_outbox).Limit(AtOnce).ToListAsync(cancellationToken);

    /// <returns>How many of them hold nothing any more.</returns>
    private async Task<long> MoveAsync(IMongoCollection<BsonDocument> collection, IReadOnlyCollection<BsonDocument> waiting, CancellationToken cancellationToken)
    {
        if (waiting.Count == 0)
        {
            return 0;
        }
        await AddToAuditAsync(waiting.SelectMany(Outbox), cancellationToken);
        await CarryOnCountsAsync(waiting, cancellationToken);
        await statuses.CarryOnAsync(waiting, cancellationToken);
        // With what is deleted go the uses of its keys, also where the node that deleted it ended in the middle.
        foreach (var deleted in waiting.Where(owner => owner["status"] == MongoDbClientDocument.Tombstone))
        {
            await uses.DeleteAsync(collection == storage.KeySets ? KeyUse.KeySetPrefix + deleted["_id"].AsString : deleted["_id"].ToString()!, cancellationToken);
        }
        var emptied = await collection.BulkWriteAsync(waiting.Select(Emptying), new BulkWriteOptions { IsOrdered = false }, cancellationToken);
        return emptied.ModifiedCount + emptied.DeletedCount;
    }

    /// <summary>Clients that have come to be live need no mark in their onboarding client's count any more; room of those that stopped is given up.</summary>
    private async Task CarryOnCountsAsync(IReadOnlyCollection<BsonDocument> waiting, CancellationToken cancellationToken)
    {
        foreach (var registered in waiting.Where(client => client.GetValue("onboarding_client", BsonNull.Value).IsString).GroupBy(client => client["onboarding_client"].AsString))
        {
            await counts.SettleAsync(registered.Key, registered.Where(client => client.Contains("reservation")).Select(client => client["reservation"].AsString), cancellationToken);
            if (registered.Any(client => client.Contains("release")))
            {
                await counts.ReleaseAsync(registered.Key, cancellationToken);
            }
        }
    }

    private async Task AddToAuditAsync(IEnumerable<BsonDocument> records, CancellationToken cancellationToken)
    {
        try
        {
            await storage.Audit.InsertManyAsync(records, new InsertManyOptions { IsOrdered = false }, cancellationToken);
        }
        catch (MongoBulkWriteException<BsonDocument> exception) when (MongoDbFault.IsNothingButDuplicateKeys(exception))
        {
            // Moved before, by a node that has not emptied the outbox yet, or ended before it could. Unordered: the
            // others are in.
        }
    }

    // The version tells that nothing was added since; the newest record, whose id is never used again, that this is still
    // the same client and not a later one under its id, which begins at version 1 again.
    private static WriteModel<BsonDocument> Emptying(BsonDocument client)
    {
        var asRead = Where.Eq("_id", client["_id"]) & Where.Eq("version", client["version"]) & Where.Eq("outbox._id", Outbox(client).Last()["_id"]);
        return client["status"].AsInt32 == MongoDbClientDocument.Tombstone
            ? new DeleteOneModel<BsonDocument>(asRead & Where.Exists("release", false) & Where.Exists(MongoDbStatusListStore.UsedUp, false))
            : new UpdateOneModel<BsonDocument>(asRead, Builders<BsonDocument>.Update.Unset("outbox").Unset("outbox_since"));
    }

    private static IEnumerable<BsonDocument> Outbox(BsonDocument client) => client["outbox"].AsBsonArray.Select(record => record.AsBsonDocument);
}
