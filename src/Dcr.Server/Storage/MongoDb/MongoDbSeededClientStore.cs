using Dcr.Administration;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

internal sealed class MongoDbSeededClientStore(MongoDbStorage storage) : ISeededClientStore
{
    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    public async Task<string?> FindEntryAsync(string clientId, CancellationToken cancellationToken) =>
        await MongoDbFault.GuardAsync(() => storage.SeededClients.Find(Where.Eq("_id", clientId)).SingleOrDefaultAsync(cancellationToken)) is { } found
            ? found["entry"].AsString
            : null;

    public Task RecordEntryAsync(string clientId, string entryHash, CancellationToken cancellationToken) => MongoDbFault.GuardAsync(() => storage.SeededClients.ReplaceOneAsync(
        Where.Eq("_id", clientId), new BsonDocument("_id", clientId).Add("entry", entryHash), new ReplaceOptions { IsUpsert = true }, cancellationToken));
}
