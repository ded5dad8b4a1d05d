using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

internal sealed class MongoDbLeaseStore(MongoDbStorage storage, TimeProvider time) : ILeaseStore
{
    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    public async Task<bool> TryTakeAsync(string name, string holder, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var free = Where.Eq("_id", name) & (Where.Eq("holder", holder) | Where.Lte("until", time.GetUtcNow().ToUnixTimeMilliseconds()));
        var taken = Builders<BsonDocument>.Update.Set("holder", holder).Set("until", until.ToUnixTimeMilliseconds());
        try
        {
            await MongoDbFault.GuardAsync(() => storage.Leases.UpdateOneAsync(free, taken, new UpdateOptions { IsUpsert = true }, cancellationToken));
            return true;
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            return false;
        }
    }
}
