using Dcr.Clients;
using Dcr.Registration;
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

    [Fact]
    public async Task Clients_of_an_earlier_version_are_found_by_what_is_new()
    {
        var now = Store.Time.GetUtcNow();
        var onboarding = Samples.Client(now) with { Origin = null, RegistrationPolicy = new RegistrationPolicy() };
        var registered = Samples.Client(now) with
        {
            Origin = new ClientOrigin { OnboardingClient = onboarding.ClientId, Thumbprint = "t", InitialTokenJti = "j" },
            RegistrationPolicy = null,
        };
        await One.Clients.AddAsync(onboarding, Samples.Record(now, onboarding.ClientId), Cancellation);
        await One.Clients.AddAsync(registered, Samples.Record(now, registered.ClientId), Cancellation);
        var storage = One.Get<MongoDbStorage>();
        var before = Builders<BsonDocument>.Update.Unset("onboards").Unset("onboarding_client").Unset("initial_token_jti").Unset("lifecycle").Unset("review_at");
        await storage.Clients.UpdateManyAsync(Builders<BsonDocument>.Filter.In("_id", new[] { onboarding.ClientId, registered.ClientId }), before, cancellationToken: Cancellation);

        await One.Lifecycle.InitializeAsync(Cancellation);

        Assert.Contains(await ListAsync(new ClientFilter { OnboardingOnly = true }), client => client.ClientId == onboarding.ClientId);
        Assert.Equal(registered.ClientId, Assert.Single(await ListAsync(new ClientFilter { Origin = new OriginFilter { OnboardingClient = onboarding.ClientId } })).ClientId);

        Task<IReadOnlyList<Client>> ListAsync(ClientFilter filter) => One.Clients.ListAsync(filter, after: null, limit: 100, Cancellation);
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
