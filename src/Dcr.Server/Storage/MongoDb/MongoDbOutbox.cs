using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>
/// Moves audit records from the clients they were written with to the audit collection (decision 0003). Every step can be
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

    /// <summary>Moves everything that a node left behind when it ended, or has not come to yet.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        List<BsonDocument> waiting;
        do
        {
            waiting = await ReadAsync(s_waiting, cancellationToken);
            await MoveAsync(waiting, cancellationToken);
        }
        while (waiting.Count == AtOnce);
        await MoveFromSigningKeysAsync(cancellationToken);
    }

    /// <summary>Moves the records of signing keys, of which there are a handful. A key is written once, so nothing can come in between.</summary>
    public async Task MoveFromSigningKeysAsync(CancellationToken cancellationToken)
    {
        var waiting = await storage.SigningKeys.Find(Where.Exists("outbox")).ToListAsync(cancellationToken);
        foreach (var key in waiting)
        {
            await AddToAuditAsync(Outbox(key), cancellationToken);
            await storage.SigningKeys.UpdateOneAsync(Where.Eq("_id", key["_id"]), Builders<BsonDocument>.Update.Unset("outbox"), cancellationToken: cancellationToken);
        }
    }

    internal Task<List<BsonDocument>> ReadAsync(FilterDefinition<BsonDocument> where, CancellationToken cancellationToken) =>
        storage.Clients.Find(where).Project(s_outbox).Limit(AtOnce).ToListAsync(cancellationToken);

    internal async Task MoveAsync(IReadOnlyCollection<BsonDocument> waiting, CancellationToken cancellationToken)
    {
        if (waiting.Count > 0)
        {
            await AddToAuditAsync(waiting.SelectMany(Outbox), cancellationToken);
            await storage.Clients.BulkWriteAsync(waiting.Select(Emptying), new BulkWriteOptions { IsOrdered = false }, cancellationToken);
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
