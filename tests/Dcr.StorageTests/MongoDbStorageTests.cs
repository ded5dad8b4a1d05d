using System.Text.Json;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.Storage.MongoDb;
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

    /// <summary>Members that clients did not have before lineage, lifetimes and counts.</summary>
    private static readonly string[] s_newMembers =
    [
        "onboarding_client", "origin_kid", "origin_thumbprint", "initial_token_jti", "software_statement_issuer", "software_id",
        "onboards", "signing_algs", "key_change_allowed_until", "lifecycle", "review_at", "last_used_at", "outbox", "outbox_since",
        "assertion_exception", "exception_needed_at", "excepted",
    ];

    private async Task<Client> WrittenBeforeAsync(Client client, int audienceSeen = 0, int? audienceRule = null)
    {
        var document = MongoDbClientDocument.Of(client, Samples.Record(Store.Time.GetUtcNow(), client.ClientId));
        Array.ForEach(s_newMembers, document.Remove);
        document.Add("audience_seen", audienceSeen).Add("audience_rule", audienceRule is { } rule ? rule : BsonNull.Value);
        await One.Get<MongoDbStorage>().Clients.InsertOneAsync(document, options: null, Cancellation);
        return client;
    }

    [Fact]
    [Requirement("P-AUDIENCE")]
    public async Task Clients_that_used_the_token_endpoint_as_audience_go_on_for_90_days_where_an_administrator_said_so_and_are_listed()
    {
        var sample = Samples.Client(Store.Time.GetUtcNow()) with { AssertionException = null, RegistrationPolicy = null };
        var allowed = await WrittenBeforeAsync(sample with { ClientId = Samples.NewId() }, audienceSeen: 2, audienceRule: 0);
        var seen = await WrittenBeforeAsync(sample with { ClientId = Samples.NewId() }, audienceSeen: 1);
        var strict = await WrittenBeforeAsync(sample with { ClientId = Samples.NewId() }, audienceSeen: 2, audienceRule: 1);

        await using var another = Store.Open();
        await Task.WhenAll(Other.Lifecycle.InitializeAsync(Cancellation), another.Lifecycle.InitializeAsync(Cancellation));

        var listed = (await Other.Clients.ListAsync(new ClientFilter { AssertionException = true }, null, 1000, Cancellation)).ToDictionary(client => client.ClientId);
        var rule = listed[allowed.ClientId].AssertionException!;
        Assert.Equal((ExceptedAudience.OwnEndpoints, Store.Time.GetUtcNow().AddDays(90)), (rule.Audience!.Value, rule.Until));
        Assert.Equal((null, seen.CreatedAt), (listed[seen.ClientId].AssertionException, listed[seen.ClientId].ExceptionNeededAt));
        Assert.DoesNotContain(strict.ClientId, listed.Keys);
        var stored = await One.Get<MongoDbStorage>().Clients.Find(Builders<BsonDocument>.Filter.Exists("audience_seen")).AnyAsync(Cancellation);
        Assert.False(stored);
        Assert.Single(await One.Audit.ListAsync(allowed.ClientId, null, 10, Cancellation), record => record.Action == "client.assertion_exception_set");
    }

    [Fact]
    public async Task Clients_that_an_earlier_version_wrote_are_listed_and_counted_by_their_origin()
    {
        var sample = Samples.Client(Store.Time.GetUtcNow());
        var onboarding = await WrittenBeforeAsync(sample with { Origin = null });
        var limits = new RegistrationLimits(onboarding.ClientId, MaxLiveClients: 1000, MaxRegistrationsPerHour: null);
        var registered = new List<Client>();
        for (var i = 0; i < 3; i++)
        {
            var origin = sample.Origin! with { OnboardingClient = onboarding.ClientId, Kid = $"kid {onboarding.ClientId} {i}" };
            registered.Add(await WrittenBeforeAsync(sample with { ClientId = Samples.NewId(), Origin = origin, RegistrationPolicy = null }));
        }

        // Two nodes start at once.
        await using var another = Store.Open();
        await Task.WhenAll(Other.Lifecycle.InitializeAsync(Cancellation), another.Lifecycle.InitializeAsync(Cancellation));

        var byKid = await Other.Clients.ListAsync(new ClientFilter { Origin = new OriginFilter { Kid = registered[1].Origin!.Kid } }, null, 10, Cancellation);
        Assert.Equal([registered[1].ClientId], byKid.Select(client => client.ClientId));
        var byOnboardingClient = await Other.Clients.ListAsync(new ClientFilter { Origin = new OriginFilter { OnboardingClient = onboarding.ClientId } }, null, 10, Cancellation);
        Assert.Equal(3, byOnboardingClient.Count);
        Assert.Equal([onboarding.ClientId], (await Other.Clients.ListAsync(new ClientFilter { OnboardingOnly = true }, null, 10, Cancellation)).Select(client => client.ClientId));
        Assert.Equal(3, await Other.Get<IRegistrationStore>().CountLiveAsync(onboarding.ClientId, Cancellation));

        var full = limits with { MaxLiveClients = 3 };
        var use = new InitialAccessTokenUse("jti", 1, Store.Time.GetUtcNow().AddMinutes(5));
        Assert.Equal(new RegisterClientOutcome.TooManyLiveClients(), await Other.Get<IRegistrationStore>().TryOutAsync(use, full, Cancellation));
        var stored = (await Other.Clients.FindAsync(registered[0].ClientId, Cancellation))!;
        // The earlier version knew no exceptions; that one is needed is told by what it had seen.
        var expected = registered[0] with { AssertionException = null, ExceptionNeededAt = stored.ExceptionNeededAt };
        Assert.Equal(JsonSerializer.Serialize(expected), JsonSerializer.Serialize(stored));
        Assert.Equal(ReplaceOutcome.Done, await Other.Clients.DeleteAsync(stored.ClientId, 1, Samples.Record(Store.Time.GetUtcNow(), stored.ClientId), Grounds.Server, Cancellation));
        Assert.Equal(2, await Other.Get<IRegistrationStore>().CountLiveAsync(onboarding.ClientId, Cancellation));
    }
}

public sealed class MongoDbSettingsTests
{
    [Fact]
    public void A_connection_string_cannot_weaken_what_the_store_promises()
    {
        using var storage = new MongoDbStorage(Options.Create(new MongoDbStorageOptions
        {
            ConnectionString = "mongodb://mongodb.example/?w=1&journal=false&readPreference=secondary&readConcernLevel=local&waitQueueTimeoutMS=60000&socketTimeoutMS=60000&retryWrites=true",
        }));

        var settings = storage.Clients.Settings;
        Assert.Equal(WriteConcern.WMajority.W, settings.WriteConcern.W);
        Assert.True(settings.WriteConcern.Journal);
        Assert.Equal(ReadConcern.Majority, settings.ReadConcern);
        Assert.Equal(ReadPreference.Primary, settings.ReadPreference);
        var client = storage.Clients.Database.Client.Settings;
        Assert.InRange(client.WaitQueueTimeout, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        Assert.InRange(client.SocketTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));
        Assert.False(client.RetryWrites);
        Assert.Equal("dcr", client.ApplicationName);
    }
}
