using Dcr.Protocol;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>
/// Of many that want a lease, one takes it, and keeps it while it renews it. Another takes it when it has seen it go without a renewal
/// for its life, by its own monotonic clock.
/// </summary>
public abstract class LeaseStoreContract(StoreUnderTest store) : StoreContract(store)
{
    private static readonly TimeSpan s_life = TimeSpan.FromMinutes(1);

    private readonly string _name = $"lease-{Guid.NewGuid():N}";

    private Task<bool> TakeAsync(Node node, string holder) => node.Get<ILeaseStore>().TryTakeAsync(_name, holder, s_life, Cancellation);

    [Fact]
    public async Task Of_50_that_race_for_a_lease_one_takes_it()
    {
        var outcomes = await RaceAsync(50, (node, i) => TakeAsync(node, $"holder {i}"));
        Assert.Single(outcomes, true);
    }

    [Fact]
    public async Task Its_holder_goes_on_holding_it_and_nobody_else_gets_it()
    {
        Assert.True(await TakeAsync(One, "one"));
        for (var i = 0; i < 3; i++)
        {
            Store.Time.Advance(TimeSpan.FromSeconds(50));
            Assert.False(await TakeAsync(Other, "other"));
            Assert.True(await TakeAsync(One, "one"));
        }
    }

    [Fact]
    public async Task Is_free_when_another_has_seen_it_go_without_a_renewal_for_its_life_and_then_one_of_50_takes_it()
    {
        Assert.True(await TakeAsync(One, "one"));
        // Whoever comes late begins to watch only now.
        Store.Time.Advance(TimeSpan.FromDays(1));
        Assert.False(await TakeAsync(Other, "other"));
        Store.Time.Advance(s_life - TimeSpan.FromMilliseconds(1));
        Assert.False(await TakeAsync(Other, "other"));
        Store.Time.Advance(TimeSpan.FromMilliseconds(1));
        var outcomes = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(i => Task.Run(() => TakeAsync(Other, $"holder {i}"), Cancellation)));
        Assert.Single(outcomes, true);
        Assert.False(await TakeAsync(One, "one"));
    }

    [Theory]
    [Requirement("P-CLOCK")]
    [InlineData(100)]
    [InlineData(-100)]
    public async Task Is_neither_lost_nor_kept_by_a_wall_clock_that_jumps(int days)
    {
        Assert.True(await TakeAsync(One, "one"));
        Assert.False(await TakeAsync(Other, "other"));
        Store.Time.StepWall(TimeSpan.FromDays(days));
        Assert.False(await TakeAsync(Other, "other"));
        Assert.True(await TakeAsync(One, "one"));
        Store.Time.StepWall(TimeSpan.FromDays(-days));
        Assert.False(await TakeAsync(Other, "other"));
        Store.Time.Advance(s_life);
        Assert.True(await TakeAsync(Other, "other"));
    }

    [Fact]
    public async Task Leases_of_different_names_do_not_know_of_each_other()
    {
        Assert.True(await TakeAsync(One, "one"));
        Assert.True(await Other.Get<ILeaseStore>().TryTakeAsync(_name + "-2", "other", s_life, Cancellation));
    }
}
