using Dcr.Proofs;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

internal sealed class MongoDbUsedJtiStore(MongoDbStorage storage) : IUsedJtiStore
{
    public async Task<RecordJtiOutcome> RecordAsync(
        string clientId, string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        var used = new BsonDocument("_id", new BsonBinaryData(UsedJti.Hash(clientId, jti))) { { "expires_at", expiresAt.UtcDateTime } };
        try
        {
            await MongoDbFault.GuardAsync(() => storage.UsedAssertions.InsertOneAsync(used, options: null, cancellationToken));
            return RecordJtiOutcome.Recorded;
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            return RecordJtiOutcome.AlreadyUsed;
        }
    }

    public Task<bool> IsUsedAsync(string clientId, string jti, CancellationToken cancellationToken)
    {
        var used = Builders<BsonDocument>.Filter.Eq("_id", new BsonBinaryData(UsedJti.Hash(clientId, jti)));
        return MongoDbFault.GuardAsync(() => storage.UsedAssertions.Find(used).AnyAsync(cancellationToken));
    }
}
