using Dcr.Keys;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>One document for each key of each client; gone 400 days after its last use.</summary>
internal sealed class MongoDbKeyUseStore(MongoDbStorage storage) : IKeyUseStore
{
    public async Task RecordAsync(IReadOnlyCollection<KeyUse> uses, CancellationToken cancellationToken)
    {
        List<WriteModel<BsonDocument>> writes = [.. uses.Select(use => new UpdateOneModel<BsonDocument>(
            Builders<BsonDocument>.Filter.Eq("_id", new BsonDocument { { "client_id", use.ClientId }, { "thumbprint", use.Thumbprint } }),
            Builders<BsonDocument>.Update.Max("last_used_at", use.UsedAt.UtcDateTime).SetOnInsert("client_id", use.ClientId))
        {
            IsUpsert = true,
        })];
        try
        {
            await WriteAsync(writes, cancellationToken);
        }
        catch (MongoBulkWriteException<BsonDocument> exception) when (MongoDbFault.IsNothingButDuplicateKeys(exception))
        {
            // Another node wrote down the first use of the same key at this moment; now it is there to be moved on.
            await WriteAsync(writes, cancellationToken);
        }
    }

    private Task WriteAsync(List<WriteModel<BsonDocument>> writes, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => storage.KeyUses.BulkWriteAsync(writes, new BulkWriteOptions { IsOrdered = false }, cancellationToken));

    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> FindAsync(string clientId, CancellationToken cancellationToken)
    {
        var found = storage.KeyUses.Find(Builders<BsonDocument>.Filter.Eq("client_id", clientId));
        return (await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken))).ToDictionary(
            use => use["_id"]["thumbprint"].AsString, use => new DateTimeOffset(use["last_used_at"].ToUniversalTime(), TimeSpan.Zero));
    }
}
