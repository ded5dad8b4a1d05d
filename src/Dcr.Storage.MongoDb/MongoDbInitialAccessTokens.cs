using Dcr.Registration;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>How often each initial access token was used; one document a token, gone some time after the token has expired.</summary>
internal sealed class MongoDbInitialAccessTokens(MongoDbStorage storage)
{
    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    /// <summary>Atomic: counts a use only while fewer than the most have been counted.</summary>
    /// <param name="use">To be counted.</param>
    /// <param name="claim">The client id of a registration that may be gone on with: it counts once, however often it is asked for. Null:
    /// it counts each time.</param>
    public Task<bool> TryUseAsync(InitialAccessTokenUse use, string? claim) => TryUseAsync(use.Jti, use.MaxUses, use.ExpiresAt, claim);

    /// <summary>The same for a software statement, which is known by its key: as long as a hash, and never a jti of this server.</summary>
    public Task<bool> TryUseAsync(StatementUse use, string? claim) => TryUseAsync(use.Key, use.MaxUses, use.ExpiresAt, claim);

    private async Task<bool> TryUseAsync(string id, int maxUses, DateTimeOffset expiresAt, string? claim)
    {
        if (maxUses < 1)
        {
            return false;
        }
        var unused = Where.Eq("_id", id) & Where.Lt("uses", maxUses);
        var count = Set.Inc("uses", 1);
        if (claim is not null)
        {
            unused &= Where.Ne("claims", claim);
            count = count.Push("claims", claim);
        }
        try
        {
            await MongoDbFault.GuardAsync(() => storage.InitialAccessTokens.UpdateOneAsync(
                unused, count.SetOnInsert("expires_at", expiresAt.UtcDateTime), new UpdateOptions { IsUpsert = true }));
            return true;
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            // The token is known: used up, or first used by somebody else at this very moment, or by this claim before.
            var counted = await MongoDbFault.GuardAsync(() => storage.InitialAccessTokens.UpdateOneAsync(unused, count));
            return counted.MatchedCount == 1 || (claim is not null && await IsClaimedAsync(id, claim));
        }
    }

    /// <summary>A use that came to nothing is given back; a claimed one once.</summary>
    public Task GiveBackAsync(string jti, string? claim)
    {
        var (where, change) = (Where.Eq("_id", jti), Set.Inc("uses", -1));
        return claim is null ? UpdateAsync(where, change) : UpdateAsync(where & Where.Eq("claims", claim), change.Pull("claims", claim));
    }

    /// <summary>The client is there: its use stays counted, and nobody goes on with it any more.</summary>
    public Task CloseAsync(string jti, string claim) => UpdateAsync(Where.Eq("_id", jti), Set.Pull("claims", claim));

    public Task<bool> IsUsedUpAsync(InitialAccessTokenUse use, CancellationToken cancellationToken) =>
        IsUsedUpAsync(use.Jti, use.MaxUses, cancellationToken);

    public Task<bool> IsUsedUpAsync(StatementUse use, CancellationToken cancellationToken) =>
        IsUsedUpAsync(use.Key, use.MaxUses, cancellationToken);

    private Task<bool> IsUsedUpAsync(string id, int maxUses, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(
            () => storage.InitialAccessTokens.Find(Where.Eq("_id", id) & Where.Gte("uses", maxUses)).AnyAsync(cancellationToken));

    private Task UpdateAsync(FilterDefinition<BsonDocument> where, UpdateDefinition<BsonDocument> change) =>
        MongoDbFault.GuardAsync(() => storage.InitialAccessTokens.UpdateOneAsync(where, change));

    private Task<bool> IsClaimedAsync(string jti, string claim) =>
        MongoDbFault.GuardAsync(() => storage.InitialAccessTokens.Find(Where.Eq("_id", jti) & Where.Eq("claims", claim)).AnyAsync());
}
