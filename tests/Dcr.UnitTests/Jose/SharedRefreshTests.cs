using Dcr.Jose;
using Xunit;

namespace Dcr.UnitTests.Jose;

/// <summary>One refresh for all who wait, its failure too, and the old value while that is allowed.</summary>
public sealed class SharedRefreshTests
{
    private static readonly TimeSpan s_fresh = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan s_usable = TimeSpan.FromMinutes(5);

    private readonly TestClock _time = new(DateTimeOffset.UtcNow);
    private readonly Queue<TaskCompletionSource<string>> _answers = new();
    private int _refreshes;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private SharedRefresh<string> Create(Func<SharedRefreshRules<string>, SharedRefreshRules<string>>? change = null)
    {
        var rules = new SharedRefreshRules<string> { FreshFor = _ => s_fresh, UsableFor = _ => s_usable, Timeout = TimeSpan.FromSeconds(5) };
        return new SharedRefresh<string>(
            (_, _) =>
            {
                Interlocked.Increment(ref _refreshes);
                return _answers.Dequeue().Task;
            },
            change?.Invoke(rules) ?? rules,
            _time);
    }

    private TaskCompletionSource<string> Expect()
    {
        var answer = new TaskCompletionSource<string>();
        _answers.Enqueue(answer);
        return answer;
    }

    private async Task<SharedRefresh<string>> CreateWithAsync(string value, Func<SharedRefreshRules<string>, SharedRefreshRules<string>>? change = null)
    {
        var shared = Create(change);
        Expect().SetResult(value);
        Assert.Equal(value, await shared.GetAsync(Cancellation));
        return shared;
    }

    [Fact]
    public async Task All_who_wait_share_one_result()
    {
        var answer = Expect();
        var shared = Create();
        var all = Enumerable.Range(0, 100).Select(_ => shared.GetAsync(Cancellation).AsTask()).ToList();
        answer.SetResult("one");
        Assert.All(await Task.WhenAll(all), value => Assert.Equal("one", value));
        Assert.Equal(1, _refreshes);
    }

    [Fact]
    public async Task Goes_by_who_begins_it_and_the_others_join_that_one()
    {
        var shared = Create();
        var answer = new TaskCompletionSource<string>();
        Assert.Null(shared.UnderWay);
        var first = shared.GetAsync((_, _) => answer.Task, Cancellation).AsTask();
        var others = Enumerable.Range(0, 10).Select(_ => shared.GetAsync((_, _) => throw new InvalidOperationException("a second one"), Cancellation).AsTask()).ToList();
        var joined = shared.UnderWay!;
        answer.SetResult("of the first");
        Assert.All(await Task.WhenAll([first, joined, .. others]), value => Assert.Equal("of the first", value));
        Assert.Null(shared.UnderWay);
    }

    [Fact]
    public async Task All_who_wait_share_one_failure_and_the_next_tries_again()
    {
        var answer = Expect();
        var shared = Create();
        var all = Enumerable.Range(0, 100).Select(_ => shared.GetAsync(Cancellation).AsTask()).ToList();
        answer.SetException(new IOException("away"));
        foreach (var one in all)
        {
            await Assert.ThrowsAsync<IOException>(() => one);
        }
        Assert.Equal(1, _refreshes);
        Expect().SetResult("again");
        Assert.Equal("again", await shared.GetAsync(Cancellation));
    }

    [Fact]
    public async Task Who_gives_up_ends_only_its_own_wait()
    {
        var answer = Expect();
        var shared = Create();
        using var stop = new CancellationTokenSource();
        var first = shared.GetAsync(stop.Token).AsTask();
        var second = shared.GetAsync(Cancellation).AsTask();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.False(second.IsCompleted);
        answer.SetResult("one");
        Assert.Equal("one", await second);
        Assert.Equal(1, _refreshes);
    }

    [Fact]
    public async Task A_refresh_that_hangs_has_failed_after_its_time_and_keeps_nobody()
    {
        Expect();
        var shared = Create();
        var waiting = shared.GetAsync(Cancellation).AsTask();
        _time.Advance(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<TimeoutException>(() => waiting);
        Expect().SetResult("again");
        Assert.Equal("again", await shared.GetAsync(Cancellation));
    }

    [Theory]
    [InlineData(-100)]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(100)]
    public async Task Ages_are_told_by_the_monotonic_clock(int days)
    {
        var shared = await CreateWithAsync("old");
        _time.StepWall(TimeSpan.FromDays(days));
        _time.Advance(s_fresh - TimeSpan.FromSeconds(1));
        Assert.Equal("old", await shared.GetAsync(Cancellation));
        Expect().SetResult("new");
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("new", await shared.GetAsync(Cancellation));
    }

    [Fact]
    public async Task The_old_value_covers_a_failure_until_it_is_too_old()
    {
        var shared = await CreateWithAsync("old");
        Expect().SetException(new IOException("away"));
        _time.Advance(s_usable - TimeSpan.FromSeconds(1));
        Assert.Equal("old", await shared.GetAsync(Cancellation));
        Expect().SetException(new IOException("away"));
        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<IOException>(async () => await shared.GetAsync(Cancellation));
    }

    [Fact]
    public async Task A_failure_that_is_no_outage_is_told()
    {
        var shared = await CreateWithAsync("old", rules => rules with { IsOutage = fault => fault is IOException });
        Expect().SetException(new InvalidOperationException("refused"));
        _time.Advance(s_fresh);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await shared.GetAsync(Cancellation));
    }

    [Fact]
    public async Task After_a_failure_there_is_a_pause_where_the_old_value_serves()
    {
        var shared = await CreateWithAsync("old", rules => rules with { PauseAfterFailure = TimeSpan.FromSeconds(3) });
        Expect().SetException(new IOException("away"));
        _time.Advance(s_fresh);
        Assert.Equal("old", await shared.GetAsync(Cancellation));
        Assert.Equal("old", await shared.GetAsync(Cancellation));
        Assert.Equal(2, _refreshes);
        Expect().SetResult("new");
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal("new", await shared.GetAsync(Cancellation));
    }

    [Fact]
    public async Task All_one_or_nobody_waits_for_what_replaces_a_value_that_may_be_served()
    {
        foreach (var (meanwhile, waiting) in new[] { (WhileRefreshing.AllWait, 2), (WhileRefreshing.OneWaits, 1), (WhileRefreshing.ServeOld, 0) })
        {
            var shared = await CreateWithAsync("old", rules => rules with { Meanwhile = meanwhile });
            var answer = Expect();
            _time.Advance(s_fresh);
            Task<string>[] asked = [shared.GetAsync(Cancellation).AsTask(), shared.GetAsync(Cancellation).AsTask()];
            Assert.Equal(waiting, asked.Count(task => !task.IsCompleted));
            answer.SetResult("new");
            var answers = await Task.WhenAll(asked);
            Assert.Equal(waiting, answers.Count(value => value == "new"));
            Assert.Equal("new", await shared.GetAsync(Cancellation));
        }
    }

    [Fact]
    public async Task What_is_due_is_fetched_although_it_is_fresh()
    {
        var shared = await CreateWithAsync("old");
        shared.SetDue();
        Expect().SetResult("new");
        Assert.Equal("new", await shared.GetAsync(Cancellation));
        Assert.Equal("new", await shared.GetAsync(Cancellation));
        Assert.Equal(2, _refreshes);
    }

    [Fact]
    public async Task What_was_asked_for_before_a_change_is_not_served_after_it()
    {
        var before = Expect();
        var shared = Create();
        var early = shared.GetAsync(Cancellation).AsTask();
        shared.Invalidate();
        var after = Expect();
        var late = shared.GetAsync(Cancellation).AsTask();
        after.SetResult("after");
        before.SetResult("before");
        Assert.Equal("before", await early);
        Assert.Equal("after", await late);
        Assert.Equal("after", await shared.GetAsync(Cancellation));
    }

    [Fact]
    public async Task What_is_dropped_is_not_served_and_its_successor_is_not_dropped()
    {
        var shared = await CreateWithAsync("old");
        shared.Drop(value => value == "old");
        Assert.Null(shared.Usable);
        Expect().SetResult("new");
        Assert.Equal("new", await shared.GetAsync(Cancellation));
        shared.Drop(value => value == "old");
        Assert.Equal("new", shared.Usable);
    }
}
