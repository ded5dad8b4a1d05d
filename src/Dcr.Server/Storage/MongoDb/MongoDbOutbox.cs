using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>
/// Moves audit records from the clients they were written with to the audit collection (decision 0003). Every step
/// can be repeated: a record that is there already is left, and an outbox is only emptied at the version it was read at.
/// </summary>
internal sealed class MongoDbOutbox(MongoDbStorage storage)
{
    private const int SweptAtOnce = 100;

    private static readonly ProjectionDefinition<BsonDocument> s_outbox =
        Builders<BsonDocument>.Projection.Include("version").Include("status").Include("outbox");

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    /// <summary>Returns when no record of this client is left to move. Finishes a deletion.</summary>
    public async Task MoveAsync(string clientId, CancellationToken cancellationToken)
    {
        while (await storage.Clients.Find(Where.Eq("_id", clientId)).Project(s_outbox).SingleOrDefaultAsync(cancellationToken) is { } client
            && client.Contains("outbox"))
        {
            await AddToAuditAsync(client["outbox"].AsBsonArray, cancellationToken);
            var unchanged = Where.Eq("_id", clientId) & Where.Eq("version", client["version"]);
            if (client["status"].AsInt32 == MongoDbClientDocument.Tombstone)
            {
                await storage.Clients.DeleteOneAsync(unchanged, cancellationToken);
            }
            else
            {
                await storage.Clients.UpdateOneAsync(
                    unchanged, Builders<BsonDocument>.Update.Unset("outbox").Unset("outbox_since"), cancellationToken: cancellationToken);
            }
        }
    }

    /// <summary>Moves everything that a node left behind when it ended, or has not come to yet.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        List<BsonDocument> waiting;
        do
        {
            waiting = await storage.Clients.Find(Where.Gt("outbox_since", 0L))
                .Project(Builders<BsonDocument>.Projection.Include("_id")).Limit(SweptAtOnce).ToListAsync(cancellationToken);
            foreach (var client in waiting)
            {
                await MoveAsync(client["_id"].AsString, cancellationToken);
            }
        }
        while (waiting.Count == SweptAtOnce);
    }

    private async Task AddToAuditAsync(BsonArray records, CancellationToken cancellationToken)
    {
        foreach (var record in records)
        {
            try
            {
                await storage.Audit.InsertOneAsync(record.AsBsonDocument, options: null, cancellationToken);
            }
            catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
            {
                // Moved before, by a node that ended before it could empty the outbox.
            }
        }
    }
}
