using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>
/// Moves audit records from the documents they were written with, mostly clients, to the audit collection (decision 0003). Every step can be
/// repeated, by several nodes at once: a record that is there already is left, and an outbox is only emptied as it was read.
/// </summary>
internal sealed class MongoDbOutbox(MongoDbStorage storage)
{
    /// <summary>Clients moved together, in three round trips: as many as fit the first page of a cursor.</summary>
    public const int AtOnce = 100;

    private static readonly ProjectionDefinition<BsonDocument> s_outbox =
        Builders<BsonDocument>.Projection.Include("version").Include("status").Include("outbox");

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
            List<BsonDocument> waiting;
            do
            {
                waiting = await ReadAsync(collection, s_waiting, cancellationToken);
                await MoveAsync(collection, waiting, cancellationToken);
            }
            while (waiting.Count == AtOnce);
        }
    }

    internal Task<List<BsonDocument>> ReadAsync(FilterDefinition<BsonDocument> where, CancellationToken cancellationToken) =>
        ReadAsync(storage.Clients, where, cancellationToken);

    internal Task MoveAsync(IReadOnlyCollection<BsonDocument> waiting, CancellationToken cancellationToken) => MoveAsync(storage.Clients, waiting, cancellationToken);

    private static Task<List<BsonDocument>> ReadAsync(IMongoCollection<BsonDocument> collection, FilterDefinition<BsonDocument> where, CancellationToken cancellationToken) =>
        collection.Find(where).Project(s_outbox).Limit(AtOnce).ToListAsync(cancellationToken);

    private async Task MoveAsync(IMongoCollection<BsonDocument> collection, IReadOnlyCollection<BsonDocument> waiting, CancellationToken cancellationToken)
    {
        if (waiting.Count > 0)
        {
            await AddToAuditAsync(waiting.SelectMany(Outbox), cancellationToken);
            await collection.BulkWriteAsync(waiting.Select(Emptying), new BulkWriteOptions { IsOrdered = false }, cancellationToken);
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
            ? new DeleteOneModel<BsonDocument>(asRead)
            : new UpdateOneModel<BsonDocument>(asRead, Builders<BsonDocument>.Update.Unset("outbox").Unset("outbox_since"));
    }

    private static IEnumerable<BsonDocument> Outbox(BsonDocument client) => client["outbox"].AsBsonArray.Select(record => record.AsBsonDocument);
}
