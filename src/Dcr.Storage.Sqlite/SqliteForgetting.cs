namespace Dcr.Storage.Sqlite;

/// <summary>
/// When records that prevent a second use may be forgotten: an hour after they have expired, by a clock of the database's own. That
/// clock runs with the monotonic clocks of the processes and follows the wall clock back at once, and forward only when it has been
/// steady for a day: so a wall clock that jumps ahead, on one process or on all, and is set right again, has cost no record. A clock
/// that lags, as after a stop, costs room and nothing else. Called by the one writer alone, so it has no lock.
/// </summary>
internal sealed class SqliteForgetting(TimeProvider time)
{
    /// <summary>How much longer than what it guards a record is kept.</summary>
    public static readonly TimeSpan Margin = TimeSpan.FromHours(1);

    private static readonly TimeSpan s_steadyFor = TimeSpan.FromDays(1);
    private const long Tolerance = 10_000;
    private const long WrittenEvery = 1_000;

    private Look? _last;
    private long _steadySince = time.GetTimestamp();

    /// <summary>What expired before this, in milliseconds since 1970, may be forgotten.</summary>
    /// <param name="session">Within a transaction of the database that the records are in.</param>
    public long Before(SqliteSession session) => Now(session) - (long)Margin.TotalMilliseconds;

    private long Now(SqliteSession session)
    {
        var look = new Look(time.GetTimestamp(), time.GetUtcNow().ToUnixTimeMilliseconds(), Clock: 0);
        var stored = session.Read(row => (long?)row.GetInt64(0), "SELECT now FROM store_clock").SingleOrDefault();
        var next = stored is { } known ? Math.Min(look.Wall, Moved(known, look)) : look.Wall;
        if (stored is null)
        {
            session.Change("INSERT INTO store_clock (now) VALUES ($1)", next);
        }
        else if (Math.Abs(next - stored.Value) >= WrittenEvery)
        {
            session.Change("UPDATE store_clock SET now = $1", next);
        }
        _last = look with { Clock = next };
        return next;
    }

    private long Moved(long stored, Look look)
    {
        if (_last is not { } last)
        {
            _steadySince = look.Timestamp;
            return stored;
        }
        var elapsed = (long)time.GetElapsedTime(last.Timestamp, look.Timestamp).TotalMilliseconds;
        // Another process has set the clock back: this one may be the one that is wrong.
        var wasSetBack = stored < last.Clock - Tolerance;
        if (wasSetBack || Math.Abs(look.Wall - last.Wall - elapsed) > Tolerance)
        {
            _steadySince = look.Timestamp;
        }
        if (time.GetElapsedTime(_steadySince, look.Timestamp) >= s_steadyFor)
        {
            return look.Wall;
        }
        return wasSetBack ? stored : Math.Max(stored, last.Clock + elapsed);
    }

    /// <param name="Timestamp">Of the monotonic clock.</param>
    /// <param name="Wall">The wall clock.</param>
    /// <param name="Clock">What the database's clock was moved to.</param>
    private sealed record Look(long Timestamp, long Wall, long Clock);
}
