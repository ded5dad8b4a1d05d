using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

internal sealed class MongoDbLeaseStore(MongoDbStorage storage, TimeProvider time) : ILeaseStore
{
    private readonly SeenUnchanged _seen = new(time);

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    public async Task<bool> TryTakeAsync(string name, string holder, TimeSpan life, CancellationToken cancellationToken)
    {
        var held = await MongoDbFault.GuardAsync(() => storage.Leases.Find(Where.Eq("_id", name)).SingleOrDefaultAsync(cancellationToken));
        // One that an earlier version wrote has neither member.
        var renewals = held?.GetValue("renewals", 0L).ToInt64() ?? 0;
        if (held is not null && held["holder"] != holder
            && _seen.For(name, $"{renewals} {held["holder"]}") < TimeSpan.FromMilliseconds(
                held.GetValue("life", (long)life.TotalMilliseconds).ToInt64()))
        {
            return false;
        }
        // Only as it was seen: of those that find it free at once, one takes it.
        var asSeen = held is null
            ? Where.Eq("holder", holder)
            : Where.Eq("holder", holder) | (
                Where.Eq("holder", held["holder"]) & Where.Eq("renewals", held.GetValue("renewals", BsonNull.Value)));
        var taken = Builders<BsonDocument>.Update.Set("holder", holder)
            .Inc("renewals", 1L)
            .Set("life", (long)life.TotalMilliseconds)
            .Unset("until");
        try
        {
            await MongoDbFault.GuardAsync(
                () =>
                    storage.Leases.UpdateOneAsync(
                        Where.Eq("_id", name) & asSeen, taken, new UpdateOptions { IsUpsert = true }, cancellationToken));
            return true;
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            return false;
        }
    }
}
