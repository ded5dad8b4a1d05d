using Dcr.Proofs;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>
/// Of all uses of one <c>jti</c> by one client, one is recorded. It is forgotten by no restart, and by no clock that jumps.
/// </summary>
public abstract class UsedJtiStoreContract(StoreUnderTest store) : StoreContract(store)
{
    private DateTimeOffset Soon => Now.AddMinutes(1);

    private static string NewJti() => Guid.NewGuid().ToString();

    [Fact]
    [Requirement("OIDCC-9-01")]
    public async Task Records_one_of_200_uses_of_a_jti_that_race()
    {
        var jti = NewJti();
        var outcomes = await RaceAsync(200, (node, _) => node.Replays.RecordAsync("client", jti, Soon, Cancellation));
        Assert.Single(outcomes, RecordJtiOutcome.Recorded);
    }

    [Fact]
    [Requirement("OIDCC-9-01")]
    public async Task Keeps_clients_apart_whatever_they_are_called()
    {
        var jti = NewJti();
        Assert.Equal(RecordJtiOutcome.Recorded, await One.Replays.RecordAsync("ab", "c" + jti, Soon, Cancellation));
        Assert.Equal(RecordJtiOutcome.Recorded, await One.Replays.RecordAsync("a", "bc" + jti, Soon, Cancellation));
        Assert.Equal(RecordJtiOutcome.AlreadyUsed, await Other.Replays.RecordAsync("ab", "c" + jti, Soon, Cancellation));
    }

    [Fact]
    [Requirement("OIDCC-9-01")]
    public async Task Forgets_nothing_before_it_expires()
    {
        var jti = NewJti();
        await One.Replays.RecordAsync("client", jti, Soon, Cancellation);
        Store.Time.Advance(TimeSpan.FromSeconds(59));
        await RaceAsync(50, (node, _) => node.Replays.RecordAsync("client", NewJti(), Soon, Cancellation));
        Assert.Equal(RecordJtiOutcome.AlreadyUsed, await Other.Replays.RecordAsync("client", jti, Soon, Cancellation));
    }

    [Fact]
    [Requirement("OIDCC-9-01", "P-CLOCK")]
    public async Task Keeps_what_has_expired_for_an_hour()
    {
        var jti = NewJti();
        await One.Replays.RecordAsync("client", jti, Soon, Cancellation);
        for (var minutes = 0; minutes < 61; minutes++)
        {
            Store.Time.Advance(TimeSpan.FromMinutes(minutes == 60 ? 0.9 : 1));
            await RaceAsync(4, (node, _) => node.Replays.RecordAsync("client", NewJti(), Soon, Cancellation));
        }
        Assert.Equal(RecordJtiOutcome.AlreadyUsed, await Other.Replays.RecordAsync("client", jti, Soon, Cancellation));
    }

    [Theory]
    [Requirement("OIDCC-9-01", "P-CLOCK")]
    [InlineData(20)]
    [InlineData(24 * 60)]
    [InlineData(100 * 24 * 60)]
    [InlineData(-20)]
    [InlineData(-24 * 60)]
    [InlineData(-100 * 24 * 60)]
    public async Task Forgets_nothing_by_a_wall_clock_that_jumps_and_is_set_right_again(int minutes)
    {
        var jti = NewJti();
        await One.Replays.RecordAsync("client", jti, Soon, Cancellation);
        Store.Time.StepWall(TimeSpan.FromMinutes(minutes));
        // Also by a node that starts under the wrong clock.
        await using var started = Store.Open();
        for (var i = 0; i < 5; i++)
        {
            Store.Time.Advance(TimeSpan.FromSeconds(1));
            await started.Replays.RecordAsync("client", NewJti(), Soon, Cancellation);
            await RaceAsync(4, (node, _) => node.Replays.RecordAsync("client", NewJti(), Soon, Cancellation));
        }
        Store.Time.StepWall(TimeSpan.FromMinutes(-minutes));
        Store.Time.Advance(TimeSpan.FromSeconds(1));
        await RaceAsync(4, (node, _) => node.Replays.RecordAsync("client", NewJti(), Soon, Cancellation));
        Assert.Equal(RecordJtiOutcome.AlreadyUsed, await Other.Replays.RecordAsync("client", jti, Soon, Cancellation));
    }

    [Fact]
    [Requirement("OIDCC-9-01")]
    public async Task Remembers_after_a_restart()
    {
        var jti = NewJti();
        await One.Replays.RecordAsync("client", jti, Soon, Cancellation);
        await using var restarted = Store.Open();
        Assert.Equal(RecordJtiOutcome.AlreadyUsed, await restarted.Replays.RecordAsync("client", jti, Soon, Cancellation));
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Tells_on_every_node_whether_a_jti_is_used()
    {
        var jti = NewJti();
        Assert.False(await One.Replays.IsUsedAsync("client", jti, Cancellation));
        await One.Replays.RecordAsync("client", jti, Soon, Cancellation);
        Assert.True(await One.Replays.IsUsedAsync("client", jti, Cancellation));
        Assert.True(await Other.Replays.IsUsedAsync("client", jti, Cancellation));
        Assert.False(await Other.Replays.IsUsedAsync("another", jti, Cancellation));
    }

    [Fact]
    [Requirement("P-DIAGNOSE")]
    public async Task Telling_uses_nothing_up()
    {
        var jti = NewJti();
        await RaceAsync(20, (node, _) => node.Replays.IsUsedAsync("client", jti, Cancellation));
        Assert.Equal(RecordJtiOutcome.Recorded, await Other.Replays.RecordAsync("client", jti, Soon, Cancellation));
    }
}
