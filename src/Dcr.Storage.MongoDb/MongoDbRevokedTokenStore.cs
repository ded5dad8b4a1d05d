using Dcr.AccessTokens;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

internal sealed class MongoDbRevokedTokenStore(MongoDbStorage storage, MongoDbEffects effects) : IRevokedTokenStore
{
    public async Task AddAsync(string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        try
        {
            await MongoDbFault.GuardAsync(() => storage.RevokedTokens.InsertOneAsync(
                new BsonDocument("_id", jti) { { "expires_at", expiresAt.UtcDateTime } }, options: null, cancellationToken));
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            // Revoked before.
        }
        await effects.VoidTokenAsync(jti);
    }

    public Task<bool> IsRevokedAsync(string jti, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => storage.RevokedTokens.Find(Builders<BsonDocument>.Filter.Eq("_id", jti)).AnyAsync(cancellationToken));
}
