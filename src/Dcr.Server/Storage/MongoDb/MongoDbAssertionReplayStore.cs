using Dcr.ClientAuthentication;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

internal sealed class MongoDbAssertionReplayStore(MongoDbStorage storage) : IAssertionReplayStore
{
    public async Task<RecordAssertionOutcome> RecordAsync(string clientId, string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        var used = new BsonDocument("_id", new BsonBinaryData(UsedAssertion.Hash(clientId, jti))) { { "expires_at", expiresAt.UtcDateTime } };
        try
        {
            await MongoDbFault.GuardAsync(() => storage.UsedAssertions.InsertOneAsync(used, options: null, cancellationToken));
            return RecordAssertionOutcome.Recorded;
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            return RecordAssertionOutcome.AlreadyUsed;
        }
    }

    public Task<bool> IsUsedAsync(string clientId, string jti, CancellationToken cancellationToken)
    {
        var used = Builders<BsonDocument>.Filter.Eq("_id", new BsonBinaryData(UsedAssertion.Hash(clientId, jti)));
        return MongoDbFault.GuardAsync(() => storage.UsedAssertions.Find(used).AnyAsync(cancellationToken));
    }
}
