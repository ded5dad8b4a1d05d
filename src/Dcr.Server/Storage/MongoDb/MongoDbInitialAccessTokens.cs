using Dcr.Registration;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>How often each initial access token was used; one document a token, gone some time after the token has expired.</summary>
internal sealed class MongoDbInitialAccessTokens(MongoDbStorage storage)
{
    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    /// <summary>Atomic: counts a use only while fewer than the most have been counted.</summary>
    public Task<bool> TryUseAsync(InitialAccessTokenUse use, CancellationToken cancellationToken) => TryUseAsync(use.Jti, use.MaxUses, use.ExpiresAt, cancellationToken);

    /// <summary>The same for a software statement, which is known by its key: as long as a hash, and never a jti of this server.</summary>
    public Task<bool> TryUseAsync(StatementUse use, CancellationToken cancellationToken) => TryUseAsync(use.Key, use.MaxUses, use.ExpiresAt, cancellationToken);

    private async Task<bool> TryUseAsync(string id, int maxUses, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        if (maxUses < 1)
        {
            return false;
        }
        var unused = Where.Eq("_id", id) & Where.Lt("uses", maxUses);
        var count = Builders<BsonDocument>.Update.Inc("uses", 1).SetOnInsert("expires_at", expiresAt.UtcDateTime);
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

    public Task<bool> IsUsedUpAsync(InitialAccessTokenUse use, CancellationToken cancellationToken) => IsUsedUpAsync(use.Jti, use.MaxUses, cancellationToken);

    public Task<bool> IsUsedUpAsync(StatementUse use, CancellationToken cancellationToken) => IsUsedUpAsync(use.Key, use.MaxUses, cancellationToken);

    private Task<bool> IsUsedUpAsync(string id, int maxUses, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => storage.InitialAccessTokens.Find(Where.Eq("_id", id) & Where.Gte("uses", maxUses)).AnyAsync(cancellationToken));
}
