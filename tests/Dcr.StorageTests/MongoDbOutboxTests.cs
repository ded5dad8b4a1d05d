using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Server.Storage.MongoDb;
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
        await One.Clients.AddAsync(client, record ?? Record(client), Cancellation);
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
        await One.Clients.DeleteAsync(client.ClientId, 1, Record(client), Cancellation);
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
            await node.Get<MongoDbOutbox>().MoveAsync(client.ClientId, Cancellation);
            return i;
        });
        var changes = 0;
        for (var version = 2; version <= 15; version++)
        {
            Assert.Equal(ReplaceClientOutcome.Done, await One.Clients.ReplaceAsync(client with { Version = version }, Record(client), Cancellation));
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
        await node.Clients.AddAsync(client, Record(client), Cancellation);
        for (var i = 0; i < 100 && (await DocumentAsync(client.ClientId))!.Contains("outbox"); i++)
        {
            await Task.Delay(50, Cancellation);
        }
        Assert.False((await DocumentAsync(client.ClientId))!.Contains("outbox"));
    }
}
