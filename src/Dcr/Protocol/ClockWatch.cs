namespace Dcr.Protocol;

/// <summary>
/// Whether the wall clock may be believed. It is held against the monotonic clock from look to look, and against the store's own time at
/// the start and after a jump. A jump is explained when it is taken back, when the store's clock says the same, or, where the store has
/// none that is exact, when it has stood for an hour. Until then nobody ends anything by the wall clock that could not be begun again.
/// </summary>
internal sealed class ClockWatch(IStoreLifecycle store, TimeProvider time)
{
    private static readonly TimeSpan s_tolerance = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_steadyFor = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();

    // The last look at which the clock was believed. Null: it has not been since the start.
    private Look? _believed = new(time.GetTimestamp(), time.GetUtcNow());

    // The first look at the clock as it is since it is not believed. Null: it is.
    private Look? _doubted;

    /// <summary>At the start: a clock that is far from the store's is not believed.</summary>
    public async Task BeginAsync(CancellationToken cancellationToken)
    {
        if (await store.ReadClockAsync(cancellationToken) is { } clock && Apart(Now(), clock) > clock.Accuracy)
        {
            lock (_lock)
            {
                (_believed, _doubted) = (null, Now());
            }
        }
    }

    /// <returns>Why the wall clock is not believed. Null: it is.</returns>
    public async Task<string?> DoubtAsync(CancellationToken cancellationToken)
    {
        if (Doubt(Now()) is not { } doubted)
        {
            return null;
        }
        var clock = await store.ReadClockAsync(cancellationToken);
        lock (_lock)
        {
            var now = Now();
            var isExplained = clock is { IsExact: true } exact
                ? Apart(now, exact) <= exact.Accuracy
                : Drift(doubted, now) <= s_tolerance && Elapsed(doubted, now) >= s_steadyFor;
            if (isExplained)
            {
                (_believed, _doubted) = (now, null);
                return null;
            }
            return _believed is { } believed
                ? $"the clock has jumped by {(now.Wall - believed.Wall - Elapsed(believed, now)).TotalSeconds:F0} s"
                : "the clock is far from the store's own";
        }
    }

    private Look? Doubt(Look now)
    {
        lock (_lock)
        {
            if (_believed is { } believed && Drift(believed, now) <= s_tolerance)
            {
                (_believed, _doubted) = (now, null);
            }
            else if (_doubted is not { } doubted || Drift(doubted, now) > s_tolerance)
            {
                _doubted = now;
            }
            return _doubted;
        }
    }

    private Look Now() => new(time.GetTimestamp(), time.GetUtcNow());

    private TimeSpan Elapsed(Look from, Look to) => time.GetElapsedTime(from.Timestamp, to.Timestamp);

    private TimeSpan Drift(Look from, Look to) => (to.Wall - from.Wall - Elapsed(from, to)).Duration();

    private static TimeSpan Apart(Look look, StoreClock clock) => (look.Wall - clock.At).Duration();

    private sealed record Look(long Timestamp, DateTimeOffset Wall);
}
