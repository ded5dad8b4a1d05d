using Dcr.Onboarding;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

internal sealed class MongoDbSeededClientStore(MongoDbStorage storage) : ISeededClientStore
{
    private static readonly ReplaceOptions s_addOrReplace = new() { IsUpsert = true };

    public async Task<string?> FindEntryAsync(string clientId, CancellationToken cancellationToken)
    {
        var found = await MongoDbFault.GuardAsync(() => storage.SeededClients.Find(With(clientId)).SingleOrDefaultAsync(cancellationToken));
        return found?["entry"].AsString;
    }

    public Task RecordEntryAsync(string clientId, string entryHash, CancellationToken cancellationToken)
    {
        var entry = new BsonDocument("_id", clientId).Add("entry", entryHash);
        return MongoDbFault.GuardAsync(
            () => storage.SeededClients.ReplaceOneAsync(With(clientId), entry, s_addOrReplace, cancellationToken));
    }

    private static FilterDefinition<BsonDocument> With(string clientId) => Builders<BsonDocument>.Filter.Eq("_id", clientId);
}
