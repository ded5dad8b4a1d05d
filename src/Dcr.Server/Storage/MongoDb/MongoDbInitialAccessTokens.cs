using Dcr.Registration;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>How often each initial access token was used; one document a token, gone some time after the token has expired.</summary>
internal sealed class MongoDbInitialAccessTokens(MongoDbStorage storage)
{
    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    /// <summary>Atomic: counts a use only while fewer than the most have been counted.</summary>
    public async Task<bool> TryUseAsync(InitialAccessTokenUse use, CancellationToken cancellationToken)
    {
        if (use.MaxUses < 1)
        {
            return false;
        }
        var unused = Where.Eq("_id", use.Jti) & Where.Lt("uses", use.MaxUses);
        var count = Builders<BsonDocument>.Update.Inc("uses", 1).SetOnInsert("expires_at", use.ExpiresAt.UtcDateTime);
        try
        {
            await MongoDbFault.GuardAsync(() => storage.InitialAccessTokens.UpdateOneAsync(unused, count, new UpdateOptions { IsUpsert = true }, cancellationToken));
            return true;
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            // The token is known: used up, or first used by somebody else at this very moment.
            var counted = await MongoDbFault.GuardAsync(() => storage.InitialAccessTokens.UpdateOneAsync(unused, count, cancellationToken: cancellationToken));
            return counted.MatchedCount == 1;
        }
    }

    /// <summary>A use that came to nothing is given back.</summary>
    public Task GiveBackAsync(string jti, CancellationToken cancellationToken) => MongoDbFault.GuardAsync(() =>
        storage.InitialAccessTokens.UpdateOneAsync(Where.Eq("_id", jti), Builders<BsonDocument>.Update.Inc("uses", -1), cancellationToken: cancellationToken));

    public async Task<bool> IsUsedUpAsync(InitialAccessTokenUse use, CancellationToken cancellationToken) =>
        await MongoDbFault.GuardAsync(() => storage.InitialAccessTokens.Find(Where.Eq("_id", use.Jti) & Where.Gte("uses", use.MaxUses)).AnyAsync(cancellationToken));
}
