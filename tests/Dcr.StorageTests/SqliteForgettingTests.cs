using Dcr.Storage.Sqlite;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>The clock that SQLite forgets by: it lags where it must, and not for longer.</summary>
public sealed class SqliteForgettingTests : IAsyncLifetime
{
    // Each test has its own: what one does to the clock the next would see.
    private readonly SqliteUnderTest _store = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _store.InitializeAsync();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private Task<int> UsedAsync() => _store.One.Get<SqliteStorage>().Replay.WriteAsync(
        session => session.Read(row => row.GetInt32(0), "SELECT count(*) FROM used_assertions").Single(), Cancellation);

    private async Task UseAsync(Node node, int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            await node.Replays.RecordAsync("client", Guid.NewGuid().ToString(), _store.Time.GetUtcNow().AddMinutes(1), Cancellation);
            _store.Time.Advance(TimeSpan.FromMinutes(1));
        }
    }

    [Fact]
    [Requirement("P-CLOCK")]
    public async Task Keeps_an_hour_of_records_and_no_more_also_after_the_clock_was_set_for_good()
    {
        await UseAsync(_store.One, 200);
        Assert.InRange(await UsedAsync(), 60, 65);

        // Set back, as after a wrong start: those of before stay until their time has come again, and no longer than that.
        _store.Time.StepWall(TimeSpan.FromMinutes(-30));
        await UseAsync(_store.One, 200);
        Assert.InRange(await UsedAsync(), 60, 65);

        // Set ahead: nothing more is kept than the day in which it could have been set right.
        _store.Time.StepWall(TimeSpan.FromDays(2));
        await UseAsync(_store.One, 200);
        Assert.InRange(await UsedAsync(), 60, 300);
        _store.Time.Advance(TimeSpan.FromDays(1));
        await UseAsync(_store.One, 200);
        Assert.InRange(await UsedAsync(), 60, 65);
    }

    [Fact]
    [Requirement("P-CLOCK")]
    public async Task Does_not_run_faster_by_several_processes()
    {
        await UseAsync(_store.One);
        var began = await ClockAsync();
        _store.Time.StepWall(TimeSpan.FromDays(10));
        for (var i = 0; i < 60; i++)
        {
            await UseAsync(i % 2 == 0 ? _store.One : _store.Other);
        }
        Assert.InRange(await ClockAsync() - began, 0, (long)TimeSpan.FromMinutes(61).TotalMilliseconds);
    }

    private Task<long> ClockAsync() =>
        _store.One.Get<SqliteStorage>().Replay.WriteAsync(session => session.Read(row => row.GetInt64(0), "SELECT now FROM store_clock").Single(), Cancellation);
}
