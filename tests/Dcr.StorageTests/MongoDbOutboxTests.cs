using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Storage.MongoDb;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>Decision 0003: a crash at any point of moving an audit record neither loses nor doubles it.</summary>
public sealed class MongoDbOutboxTests(MongoDbUnderTestStore store) : StoreContract(store), IClassFixture<MongoDbUnderTestStore>
{
    private AuditRecord Record(Client client) => Samples.Record(Store.Time.GetUtcNow(), client.ClientId);

    private async Task<Client> AddedAsync(AuditRecord? record = null, Client? client = null)
    {
        client ??= Samples.Client(Store.Time.GetUtcNow());
        await One.Clients.AddAsync(client, record ?? Record(client), Grounds.Server, Cancellation);
        return client;
    }

    private Task<BsonDocument?> DocumentAsync(string clientId) =>
        One.Get<MongoDbStorage>().Clients.Find(Builders<BsonDocument>.Filter.Eq("_id", clientId)).SingleOrDefaultAsync(Cancellation)!;

    [Fact]
    [Requirement("P-AUDIT")]
    public async Task A_crash_before_the_record_is_moved_loses_nothing()
    {
        var client = await AddedAsync();
        Assert.True((await DocumentAsync(client.ClientId))!.Contains("outbox"));
        await Other.Get<MongoDbOutbox>().SweepAsync(Cancellation);
        Assert.False((await DocumentAsync(client.ClientId))!.Contains("outbox"));
        Assert.Single(await Other.Audit.ListAsync(client.ClientId, null, 10, Cancellation));
    }

    [Fact]
    public async Task A_crash_between_moving_and_emptying_doubles_nothing()
    {
        var client = Samples.Client(Store.Time.GetUtcNow());
        var record = Record(client);
        await AddedAsync(record, client);
        await One.Audit.AddAsync(record, Cancellation);
        Assert.Single(await Other.Audit.ListAsync(client.ClientId, null, 10, Cancellation));
    }

    [Fact]
    public async Task A_crash_in_the_middle_of_a_deletion_is_finished_by_the_sweep()
    {
        var client = await AddedAsync();
        await One.Clients.DeleteAsync(client.ClientId, 1, Record(client), Grounds.Server, Cancellation);
        Assert.False((await DocumentAsync(client.ClientId))!.Contains("metadata"));
        Assert.Null(await One.Clients.FindAsync(client.ClientId, Cancellation));
        await Other.Get<MongoDbOutbox>().SweepAsync(Cancellation);
        Assert.Null(await DocumentAsync(client.ClientId));
        Assert.Equal(2, (await Other.Audit.ListAsync(client.ClientId, null, 10, Cancellation)).Count);
    }

    [Fact]
    public async Task Changes_while_records_are_moved_lose_nothing()
    {
        var client = await AddedAsync();
        var moving = RaceAsync(20, async (node, i) =>
        {
            await node.Get<MongoDbOutbox>().MoveAsync([client.ClientId], Cancellation);
            return i;
        });
        var changes = 0;
        for (var version = 2; version <= 15; version++)
        {
            Assert.Equal(ReplaceOutcome.Done, await One.Clients.ReplaceAsync(client with { Version = version }, Record(client), Grounds.Server, Cancellation));
            changes++;
        }
        await moving;
        Assert.Equal(1 + changes, (await Other.Audit.ListAsync(client.ClientId, null, 100, Cancellation)).Count);
    }

    [Fact]
    public async Task The_background_moves_records_by_itself()
    {
        await using var node = Store.Open();
        await node.StartBackgroundAsync();
        var client = Samples.Client(Store.Time.GetUtcNow());
        await node.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation);
        for (var i = 0; i < 100 && (await DocumentAsync(client.ClientId))!.Contains("outbox"); i++)
        {
            await Task.Delay(50, Cancellation);
        }
        Assert.False((await DocumentAsync(client.ClientId))!.Contains("outbox"));
    }

    [Fact]
    public async Task A_client_id_is_free_again_although_its_deletion_was_cut_short()
    {
        var client = await AddedAsync();
        await One.Clients.DeleteAsync(client.ClientId, 1, Record(client), Grounds.Server, Cancellation);

        var outcomes = await RaceAsync(8, (node, _) => node.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation));

        Assert.Single(outcomes, AddClientOutcome.Added);
        Assert.NotNull(await Other.Clients.FindAsync(client.ClientId, Cancellation));
        Assert.Equal(3, (await Other.Audit.ListAsync(client.ClientId, null, 10, Cancellation)).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_that_moves_late_takes_nothing_from_a_later_client_of_the_same_id(bool deleted)
    {
        var client = await AddedAsync();
        await EndAsync();
        var late = One.Get<MongoDbOutbox>();
        var read = await late.ReadAsync(Builders<BsonDocument>.Filter.Eq("_id", client.ClientId), Cancellation);

        // Meanwhile another node ends the first client and begins a second, which comes to the version that was read.
        await Other.Get<MongoDbOutbox>().MoveAsync([client.ClientId], Cancellation);
        await Other.Clients.DeleteAsync(client.ClientId, 1, Record(client), Grounds.Server, Cancellation);
        Assert.Equal(AddClientOutcome.Added, await Other.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation));
        await EndAsync();
        await late.MoveAsync(read, Cancellation);

        Assert.Equal(deleted ? 4 : 3, (await Other.Audit.ListAsync(client.ClientId, null, 10, Cancellation)).Count);
        Assert.Equal(deleted, await Other.Clients.FindAsync(client.ClientId, Cancellation) is null);

        async Task EndAsync()
        {
            if (deleted)
            {
                await One.Clients.DeleteAsync(client.ClientId, 1, Record(client), Grounds.Server, Cancellation);
            }
        }
    }

    [Fact]
    public async Task Nodes_that_sweep_at_once_and_more_than_a_batch_keep_each_record_once()
    {
        const int Clients = (2 * MongoDbOutbox.AtOnce) + 50;
        var ids = await RaceAsync(Clients, async (_, _) => (await AddedAsync()).ClientId);

        await RaceAsync(4, async (node, _) =>
        {
            await node.Get<MongoDbOutbox>().SweepAsync(Cancellation);
            return 0;
        });

        var listed = (await Other.Audit.ListAsync(null, null, 10_000, Cancellation)).Where(record => ids.Contains(record.Subject)).ToList();
        Assert.Equal(Clients, listed.Count);
        Assert.Equal(Clients, listed.Select(record => record.Id).Distinct().Count());
        Assert.Empty(await Other.Get<MongoDbOutbox>().ReadAsync(Builders<BsonDocument>.Filter.In("_id", ids) & Builders<BsonDocument>.Filter.Exists("outbox"), Cancellation));
    }

    [Fact]
    [Requirement("P-AUDIT")]
    public async Task Records_of_a_client_that_is_written_to_meanwhile_are_taken_from_it_all_the_same()
    {
        var client = await AddedAsync();
        var outbox = One.Get<MongoDbOutbox>();
        for (var version = 2; version <= 6; version++)
        {
            var read = await outbox.ReadAsync(Builders<BsonDocument>.Filter.Eq("_id", client.ClientId), Cancellation);
            await Other.Clients.ReplaceAsync(client with { Version = version }, Record(client), Grounds.Server, Cancellation);
            await outbox.MoveAsync(read, Cancellation);
            Assert.Single((await DocumentAsync(client.ClientId))!["outbox"].AsBsonArray);
        }
        Assert.Equal(6, (await Other.Audit.ListAsync(client.ClientId, null, 100, Cancellation)).Count);
        await outbox.MoveAsync([client.ClientId], Cancellation);
        Assert.False((await DocumentAsync(client.ClientId))!.Contains("outbox"));
    }

    [Fact]
    [Requirement("P-AUDIT")]
    public async Task A_client_that_changes_without_pause_does_not_grow_without_end()
    {
        const int Changes = (2 * MongoDbOutbox.MaxWaiting) + 10;
        var client = await AddedAsync();
        for (var version = 2; version <= 1 + Changes; version++)
        {
            Assert.Equal(ReplaceOutcome.Done, await One.Clients.ReplaceAsync(client with { Version = version }, Record(client), Grounds.Server, Cancellation));
        }
        Assert.InRange((await DocumentAsync(client.ClientId))!["outbox"].AsBsonArray.Count, 1, MongoDbOutbox.MaxWaiting);
        Assert.Equal(1 + Changes, (await Other.Audit.ListAsync(client.ClientId, null, 1000, Cancellation)).Count);
    }

    [Fact]
    [Requirement("P-AUDIT")]
    public async Task Listings_at_once_while_others_move_are_each_complete()
    {
        const int Clients = 400;
        var ids = new HashSet<string>();
        while (ids.Count < Clients)
        {
            ids.UnionWith(await RaceAsync(20, async (_, _) => (await AddedAsync()).ClientId));
        }

        var listings = Enumerable.Range(0, 3).Select(_ => Task.Run(() => Other.Audit.ListAsync(null, null, 10_000, Cancellation), Cancellation));
        var moving = Task.Run(() => One.Get<MongoDbOutbox>().SweepAsync(Cancellation), Cancellation);
        foreach (var listed in await Task.WhenAll(listings))
        {
            Assert.Equal(Clients, listed.Count(record => ids.Contains(record.Subject)));
        }
        await moving;

        // Page by page too, wherever a record is by then.
        await AddedAsync();
        var newest = await Other.Audit.ListAsync(null, null, 5, Cancellation);
        Assert.Equal(newest.OrderByDescending(record => record.Id, StringComparer.Ordinal), newest);
        Assert.Equal(5, newest.Count);
    }
}
