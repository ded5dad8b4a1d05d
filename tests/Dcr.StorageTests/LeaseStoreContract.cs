using Dcr.Protocol;
using Xunit;

namespace Dcr.StorageTests;

public abstract class LeaseStoreContract(StoreUnderTest store) : StoreContract(store)
{
    private readonly string _name = $"lease-{Guid.NewGuid():N}";

    private Task<bool> TakeAsync(Node node, string holder, TimeSpan life) =>
        node.Get<ILeaseStore>().TryTakeAsync(_name, holder, Store.Time.GetUtcNow() + life, Cancellation);

    [Fact]
    public async Task Of_50_that_race_for_a_lease_one_takes_it()
    {
        var outcomes = await RaceAsync(50, (node, i) => TakeAsync(node, $"holder {i}", TimeSpan.FromMinutes(1)));
        Assert.Single(outcomes, true);
    }

    [Fact]
    public async Task Its_holder_goes_on_holding_it_and_nobody_else_gets_it()
    {
        Assert.True(await TakeAsync(One, "one", TimeSpan.FromMinutes(1)));
        for (var i = 0; i < 3; i++)
        {
            Store.Time.Advance(TimeSpan.FromSeconds(50));
            Assert.False(await TakeAsync(Other, "other", TimeSpan.FromMinutes(1)));
            Assert.True(await TakeAsync(One, "one", TimeSpan.FromMinutes(1)));
        }
    }

    [Fact]
    public async Task Ends_when_its_time_has_come_and_then_one_of_50_takes_it()
    {
        Assert.True(await TakeAsync(One, "one", TimeSpan.FromMinutes(1)));
        Store.Time.Advance(TimeSpan.FromMinutes(1) - TimeSpan.FromMilliseconds(1));
        Assert.False(await TakeAsync(Other, "other", TimeSpan.FromMinutes(1)));
        Store.Time.Advance(TimeSpan.FromMilliseconds(1));
        var outcomes = await RaceAsync(50, (node, i) => TakeAsync(node, $"holder {i}", TimeSpan.FromMinutes(1)));
        Assert.Single(outcomes, true);
        Assert.False(await TakeAsync(One, "one", TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task Leases_of_different_names_do_not_know_of_each_other()
    {
        Assert.True(await TakeAsync(One, "one", TimeSpan.FromMinutes(1)));
        Assert.True(await Other.Get<ILeaseStore>().TryTakeAsync(_name + "-2", "other", Store.Time.GetUtcNow().AddMinutes(1), Cancellation));
    }
}

public sealed class LeaseStoreOnSqlite(SqliteUnderTest store) : LeaseStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class LeaseStoreOnMongoDb(MongoDbUnderTestStore store) : LeaseStoreContract(store), IClassFixture<MongoDbUnderTestStore>;
