using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Storage.MongoDb;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Dcr.StorageTests;

public sealed class StatusListStoreOnMongoDb(MongoDbUnderTestStore store) : StatusListStoreContract(store), IClassFixture<MongoDbUnderTestStore>
{
    [Fact]
    [Requirement("P-STATUS")]
    public async Task A_crash_between_stopping_a_client_and_setting_its_bit_is_made_up_for()
    {
        var (client, index) = await WithIndexAsync();
        // As the write that stopped the client left it.
        var stopped = Builders<BsonDocument>.Update.Set("status", (int)ClientStatus.Revoked).Set("version", 2L).Rename(MongoDbStatusListStore.Index, MongoDbStatusListStore.UsedUp);
        await One.Get<MongoDbStorage>().Clients.UpdateOneAsync(Builders<BsonDocument>.Filter.Eq("_id", client.ClientId), MongoDbClientChange.Recorded(stopped, Record(client)), cancellationToken: Cancellation);
        Assert.False(await IsSetAsync(index));
        Assert.Null((await Other.Clients.FindAsync(client.ClientId, Cancellation))!.StatusIndex);

        await Other.Get<MongoDbOutbox>().SweepAsync(Cancellation);

        Assert.True(await IsSetAsync(index));
    }

    [Fact]
    public async Task What_a_crash_left_is_not_in_the_way_of_the_next_change()
    {
        var (client, first) = await WithIndexAsync();
        await One.Get<MongoDbStorage>().Clients.UpdateOneAsync(
            Builders<BsonDocument>.Filter.Eq("_id", client.ClientId),
            Builders<BsonDocument>.Update.Rename(MongoDbStatusListStore.Index, MongoDbStatusListStore.UsedUp),
            cancellationToken: Cancellation);
        var second = (await Statuses(Other).AssignAsync(client.ClientId, Cancellation))!.Value;
        Assert.Equal(ReplaceOutcome.Done, await Other.Clients.DeleteAsync(client.ClientId, 1, Record(client), Grounds.Server, Cancellation));
        Assert.True(await IsSetAsync(first));
        Assert.True(await IsSetAsync(second));
    }
}
