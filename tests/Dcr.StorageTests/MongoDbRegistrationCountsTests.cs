using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.Storage.MongoDb;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>A crash at any point between a client and its count neither loses room nor gives it twice; nor do nodes that are late.</summary>
public sealed class MongoDbRegistrationCountsTests(MongoDbUnderTestStore store) : RegisteredClientsContract(store), IClassFixture<MongoDbUnderTestStore>
{
    private static readonly TimeSpan s_abandonedAfter = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_lockLife = TimeSpan.FromSeconds(30);

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    private MongoDbStorage Storage => One.Get<MongoDbStorage>();

    private static MongoDbRegistrationCounts Counts(Node node) => node.Get<MongoDbRegistrationCounts>();

    /// <summary>By both nodes, as they may.</summary>
    private Task SweepAsync() => RaceAsync(4, async (node, _) =>
    {
        await node.Get<MongoDbAbandonedRegistrations>().SweepAsync(Cancellation);
        return 0;
    });

    /// <summary>What is there now has been seen to stand for so long.</summary>
    private async Task SweepAndWaitAsync(TimeSpan life)
    {
        await SweepAsync();
        Store.Time.Advance(life);
    }

    private async Task<string> ReservedAsync(RegistrationLimits limits, string clientId, bool countsForHour = true)
    {
        var reservation = MongoDbRegistrationCounts.NewReservation();
        Assert.Null(await Counts(One).ReserveAsync(limits, clientId, reservation, countsForHour, Cancellation));
        return reservation;
    }

    private Task<BsonDocument> CountAsync(RegistrationLimits limits) => Storage.RegistrationCounts.Find(Where.Eq("_id", limits.OnboardingClient)).SingleAsync(Cancellation);

    private Task<BsonDocument> DocumentAsync(Client client) => Storage.Clients.Find(Where.Eq("_id", client.ClientId)).SingleAsync(Cancellation);

    private Task<long> UpdateAsync(Client client, UpdateDefinition<BsonDocument> change) => UpdateAsync(Storage.Clients, client.ClientId, change);

    private static async Task<long> UpdateAsync(IMongoCollection<BsonDocument> collection, string id, UpdateDefinition<BsonDocument> change) =>
        (await collection.UpdateOneAsync(Where.Eq("_id", id), change, cancellationToken: Cancellation)).ModifiedCount;

    private async Task AssertSettledAsync(RegistrationLimits limits, long live)
    {
        var count = await CountAsync(limits);
        Assert.Equal((live, 0), (count["live"].AsInt64, count["reserved"].AsBsonArray.Count));
        Assert.False(count.Contains("lock"));
        Assert.Equal(live, await TrulyLiveAsync(limits));
    }

    /// <summary>A client that is marked as ended, by a node that died before it counted that.</summary>
    private async Task<Client> EndedHalfwayAsync(RegistrationLimits limits)
    {
        var client = await RegisteredAsync(limits);
        Assert.Equal(1, await UpdateAsync(client, Set.Set("status", (int)ClientStatus.Revoked).Set("version", 2L).Set("release", 2L)));
        return client;
    }

    [Fact]
    public async Task Room_that_was_taken_for_a_client_that_never_came_is_given_back_after_two_minutes()
    {
        var limits = Limits(live: 2);
        await RegisteredAsync(limits);
        var late = Registration(limits);
        var reservation = await ReservedAsync(limits, late.Client.ClientId);
        // A node begins to watch when it first sees it, whatever time is written there.
        Store.Time.Advance(s_abandonedAfter);
        await SweepAsync();
        Store.Time.Advance(s_abandonedAfter - TimeSpan.FromMilliseconds(1));
        await SweepAsync();
        Assert.Equal(2, await CountLiveAsync(limits));

        Store.Time.Advance(TimeSpan.FromMilliseconds(1));
        await SweepAsync();
        Assert.Equal(1, await CountLiveAsync(limits));

        // The node was not dead but slow: its client cannot come any more, and its room is given back once.
        Assert.Equal(EffectOutcome.Conflict, await One.Get<MongoDbClientChange>().InsertAsync(late.Client, late.Record, reservation, Grounds.Server, Cancellation));
        Assert.Null(await StoredAsync(late.Client));
        await Counts(Other).CancelAsync(limits.OnboardingClient, reservation, Cancellation);
        await SweepAsync();
        await One.Get<MongoDbOutbox>().SweepAsync(Cancellation);
        await AssertSettledAsync(limits, live: 1);
    }

    [Fact]
    public async Task Of_a_client_that_comes_while_its_room_is_swept_room_and_client_stay_or_go_together()
    {
        for (var i = 0; i < 15; i++)
        {
            var limits = Limits();
            var late = Registration(limits);
            var reservation = await ReservedAsync(limits, late.Client.ClientId);
            await SweepAndWaitAsync(s_abandonedAfter);
            var coming = Task.Run(() => One.Get<MongoDbClientChange>().InsertAsync(late.Client, late.Record, reservation, Grounds.Server, Cancellation), Cancellation);
            await SweepAsync();
            await AssertSettledAsync(limits, live: await coming == EffectOutcome.Done ? 1 : 0);
        }
    }

    [Fact]
    public async Task A_client_that_came_although_nobody_noted_it_stays_counted()
    {
        var limits = Limits();
        var client = await RegisteredAsync(limits);
        Assert.Single((await CountAsync(limits))["reserved"].AsBsonArray);
        await SweepAndWaitAsync(s_abandonedAfter);
        await SweepAsync();
        await AssertSettledAsync(limits, live: 1);
        await DeletedAsync(client);
        await One.Get<MongoDbOutbox>().SweepAsync(Cancellation);
        await SweepAsync();
        await AssertSettledAsync(limits, live: 0);
    }

    [Fact]
    public async Task Moving_the_records_of_clients_settles_their_room()
    {
        var limits = Limits();
        await RegisteredAsync(limits);
        await DeletedAsync(await RegisteredAsync(limits));
        await Other.Get<MongoDbOutbox>().SweepAsync(Cancellation);
        await AssertSettledAsync(limits, live: 1);
    }

    [Fact]
    public async Task An_end_that_was_not_counted_is_counted_by_the_sweep_once()
    {
        var limits = Limits();
        await RegisteredAsync(limits);
        var ended = await EndedHalfwayAsync(limits);
        Assert.Equal(2, await CountLiveAsync(limits));
        await SweepAsync();
        Assert.False((await DocumentAsync(ended)).Contains("release"));
        Assert.Equal(1, await CountLiveAsync(limits));
        await One.Get<MongoDbOutbox>().SweepAsync(Cancellation);
        await SweepAsync();
        await AssertSettledAsync(limits, live: 1);
    }

    [Fact]
    public async Task A_deletion_that_was_not_counted_is_counted_before_the_client_is_forgotten()
    {
        var limits = Limits();
        await RegisteredAsync(limits);
        var ended = await EndedHalfwayAsync(limits);
        await UpdateAsync(ended, Set.Set("status", MongoDbClientDocument.Tombstone));
        await RaceAsync(4, async (node, _) =>
        {
            await node.Get<MongoDbOutbox>().SweepAsync(Cancellation);
            return 0;
        });
        await One.Get<MongoDbOutbox>().SweepAsync(Cancellation);
        Assert.False(await Storage.Clients.Find(Where.Eq("_id", ended.ClientId)).AnyAsync(Cancellation));
        await AssertSettledAsync(limits, live: 1);
    }

    [Fact]
    public async Task An_end_that_was_counted_and_not_noted_is_noted_when_the_lock_of_the_dead_node_ends()
    {
        var limits = Limits();
        await RegisteredAsync(limits);
        var ended = await EndedHalfwayAsync(limits);
        var counted = new BsonArray { new BsonDocument { { "client_id", ended.ClientId }, { "release", 2L } } };
        await UpdateAsync(Storage.RegistrationCounts, limits.OnboardingClient, Set.Inc("live", -1L).Set("releasing", counted).Set("lock", "dead"));
        await SweepAndWaitAsync(s_lockLife);
        await SweepAsync();
        Assert.False((await DocumentAsync(ended)).Contains("release"));
        await SweepAndWaitAsync(s_abandonedAfter);
        await SweepAsync();
        await AssertSettledAsync(limits, live: 1);
    }

    [Fact]
    public async Task An_end_is_carried_out_although_a_node_died_with_the_lock_and_counted_when_that_ends()
    {
        var limits = Limits();
        await RegisteredAsync(limits);
        var client = await RegisteredAsync(limits);
        await UpdateAsync(Storage.RegistrationCounts, limits.OnboardingClient, Set.Set("lock", "dead"));
        await DeletedAsync(client);
        Assert.Null(await StoredAsync(client));
        Assert.Equal(2, await CountLiveAsync(limits));
        Store.Time.Advance(s_lockLife);
        await SweepAsync();
        Assert.Equal(1, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task A_count_that_is_missing_begins_with_the_clients_there_are()
    {
        var limits = Limits(live: 3);
        var clients = new[] { await RegisteredAsync(limits), await RegisteredAsync(limits), await RegisteredAsync(limits) };
        await Storage.RegistrationCounts.DeleteOneAsync(Where.Eq("_id", limits.OnboardingClient), Cancellation);
        Assert.Equal(3, await CountLiveAsync(limits));
        Assert.Equal(new RegisterClientOutcome.TooManyLiveClients(), await Registrations(Other).TryOutAsync(Use(), limits, Cancellation));
        Assert.Equal(new RegisterClientOutcome.TooManyLiveClients(), await RegisterAsync(Other, limits));

        await Storage.RegistrationCounts.DeleteOneAsync(Where.Eq("_id", limits.OnboardingClient), Cancellation);
        await DeletedAsync(clients[0]);
        Assert.Equal(2, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task A_count_that_many_begin_at_once_lets_no_more_in_than_the_cap_has_room()
    {
        var limits = Limits(live: 8);
        for (var i = 0; i < 3; i++)
        {
            await RegisteredAsync(limits);
        }
        var ending = await RegisteredAsync(limits);
        await Storage.RegistrationCounts.DeleteOneAsync(Where.Eq("_id", limits.OnboardingClient), Cancellation);
        var registering = RaceAsync(60, (node, _) => RegisterAsync(node, limits));
        await DeletedAsync(ending);
        var registered = (await registering).Count(outcome => outcome is RegisterClientOutcome.Registered);
        Assert.InRange(registered, 4, 5);
        Assert.Equal(3 + registered, await CountLiveAsync(limits));
        Assert.Equal(3 + registered, await TrulyLiveAsync(limits));
    }

    [Fact]
    public async Task A_revival_that_came_to_nothing_gives_its_room_back_and_comes_to_nothing_late_either()
    {
        var limits = Limits();
        var expired = await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Expired);
        await ReservedAsync(limits, expired.ClientId, countsForHour: false);
        Assert.Equal(1, await CountLiveAsync(limits));
        await SweepAndWaitAsync(s_abandonedAfter);
        await SweepAsync();
        await AssertSettledAsync(limits, live: 0);

        Assert.Equal(ReviveOutcome.VersionConflict, await ReviveAsync(One, expired, limits));
        Assert.Equal(ReviveOutcome.Done, await ReviveAsync(One, (await StoredAsync(expired))!, limits));
        await AssertSettledAsync(limits, live: 1);
    }

    [Theory]
    [InlineData(ClientStatus.Active)]
    [InlineData(ClientStatus.Expired)]
    [InlineData(ClientStatus.Revoked)]
    public async Task A_revival_that_died_after_another_was_done_gives_its_own_room_back(ClientStatus becomes)
    {
        var limits = Limits();
        var expired = await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Expired);
        await ReservedAsync(limits, expired.ClientId, countsForHour: false);
        Assert.Equal(ReviveOutcome.Done, await ReviveAsync(Other, expired, limits));
        Assert.Equal(2, await CountLiveAsync(limits));
        if (becomes != ClientStatus.Active)
        {
            await BecomesAsync(Next(expired, ClientStatus.Active), becomes);
        }
        await SweepAndWaitAsync(s_abandonedAfter);
        await SweepAsync();
        await AssertSettledAsync(limits, live: becomes == ClientStatus.Active ? 1 : 0);
    }

    [Fact]
    public async Task A_node_that_settles_late_does_not_settle_a_later_revival()
    {
        var limits = Limits();
        var client = await RegisteredAsync(limits);
        var late = One.Get<MongoDbOutbox>();
        var read = await late.ReadAsync(Where.Eq("_id", client.ClientId), Cancellation);
        var expired = await BecomesAsync(client, ClientStatus.Expired);
        var reservation = await ReservedAsync(limits, expired.ClientId, countsForHour: false);
        await late.MoveAsync(read, Cancellation);
        await Counts(Other).CancelAsync(limits.OnboardingClient, reservation, Cancellation);
        await AssertSettledAsync(limits, live: 0);
    }
}
