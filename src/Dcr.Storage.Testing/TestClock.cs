using Microsoft.Extensions.Time.Testing;

namespace Dcr.Storage.Testing;

/// <summary>A clock that a test moves, and whose wall clock it may step while the monotonic clock and the timers go on as before.</summary>
public sealed class TestClock(DateTimeOffset startsAt) : FakeTimeProvider(startsAt)
{
    private long _stepped;

    /// <summary>As an operator, or a faulty time server, sets a clock.</summary>
    public void StepWall(TimeSpan by) => Interlocked.Add(ref _stepped, by.Ticks);

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + TimeSpan.FromTicks(Interlocked.Read(ref _stepped));

    public override long GetTimestamp() => base.GetUtcNow().Ticks;
}
