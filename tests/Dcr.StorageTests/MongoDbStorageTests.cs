using Dcr.Server.Storage.MongoDb;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Dcr.StorageTests;

public sealed class MongoDbStorageTests(MongoDbUnderTestStore store) : StoreContract(store), IClassFixture<MongoDbUnderTestStore>
{
    [Fact]
    public async Task The_server_forgets_by_itself_but_not_early()
    {
        var storage = One.Get<MongoDbStorage>();
        foreach (var collection in new[] { storage.UsedAssertions, storage.InitialAccessTokens })
        {
            var indexes = await (await collection.Indexes.ListAsync(Cancellation)).ToListAsync(Cancellation);
            var expiry = Assert.Single(indexes, index => index.Contains("expireAfterSeconds"));
            Assert.Equal(new BsonDocument("expires_at", 1), expiry["key"].AsBsonDocument);
            Assert.Equal(3600, expiry["expireAfterSeconds"].ToInt32());
        }
    }
}

public sealed class MongoDbSettingsTests
{
    [Fact]
    public void A_connection_string_cannot_weaken_what_the_store_promises()
    {
        using var storage = new MongoDbStorage(Options.Create(new MongoDbStorageOptions
        {
            ConnectionString = "mongodb://mongodb.example/?w=1&journal=false&readPreference=secondary&readConcernLevel=local&waitQueueTimeoutMS=60000",
        }));

        var settings = storage.Clients.Settings;
        Assert.Equal(WriteConcern.WMajority.W, settings.WriteConcern.W);
        Assert.True(settings.WriteConcern.Journal);
        Assert.Equal(ReadConcern.Majority, settings.ReadConcern);
        Assert.Equal(ReadPreference.Primary, settings.ReadPreference);
        Assert.InRange(storage.Clients.Database.Client.Settings.WaitQueueTimeout, TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }
}
