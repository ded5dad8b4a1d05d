using Dcr.Keys;
using Dcr.Protocol;
using Xunit;

namespace Dcr.StorageTests;

public abstract class KeyUseStoreContract(StoreUnderTest store) : StoreContract(store)
{
    private static IKeyUseStore Uses(Node node) => node.Get<IKeyUseStore>();

    [Fact]
    public async Task Keeps_the_latest_use_of_each_key_of_each_client()
    {
        var client = Samples.Client(Store.Time.GetUtcNow());
        var other = Samples.Client(Store.Time.GetUtcNow());
        foreach (var added in new[] { client, other })
        {
            await One.Clients.AddAsync(added, Samples.Record(Store.Time.GetUtcNow(), added.ClientId), Grounds.Server, Cancellation);
        }
        var now = Store.Time.GetUtcNow();
        await Uses(One).RecordAsync([new(client.ClientId, "a", now), new(client.ClientId, "b", now.AddMinutes(-5)), new(other.ClientId, "a", now.AddHours(1))], Cancellation);
        await Uses(Other).RecordAsync([new(client.ClientId, "a", now.AddMinutes(-1)), new(client.ClientId, "b", now.AddMinutes(1))], Cancellation);
        var found = await Uses(Other).FindAsync(client.ClientId, Cancellation);
        Assert.Equal(2, found.Count);
        Assert.Equal(now, found["a"]);
        Assert.Equal(now.AddMinutes(1), found["b"]);
        Assert.Empty(await Uses(One).FindAsync("nobody", Cancellation));
    }

    [Fact]
    public async Task Takes_the_first_use_of_a_key_from_many_nodes_at_once()
    {
        var client = Samples.Client(Store.Time.GetUtcNow());
        await One.Clients.AddAsync(client, Samples.Record(Store.Time.GetUtcNow(), client.ClientId), Grounds.Server, Cancellation);
        var now = Store.Time.GetUtcNow();
        await RaceAsync(40, async (node, i) =>
        {
            await Uses(node).RecordAsync([new(client.ClientId, "a", now.AddSeconds(i)), new(client.ClientId, "b", now)], Cancellation);
            return i;
        });
        var found = await Uses(Other).FindAsync(client.ClientId, Cancellation);
        Assert.Equal(now.AddSeconds(39), found["a"]);
        Assert.Equal(now, found["b"]);
    }
}

public sealed class KeyUseStoreOnSqlite(SqliteUnderTest store) : KeyUseStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class KeyUseStoreOnMongoDb(MongoDbUnderTestStore store) : KeyUseStoreContract(store), IClassFixture<MongoDbUnderTestStore>;
