using Microsoft.Extensions.Logging;

namespace Dcr.Protocol;

/// <summary>
/// Requests that could not be answered because the store was away, in two lines of the log for each outage however many there are: one
/// when it begins, one with their number when it is over.
/// </summary>
internal sealed partial class StoreOutage(TimeProvider time, ILogger<StoreOutage> logger) : IDisposable
{
    /// <summary>An outage is over when no request has failed for this long.</summary>
    public static readonly TimeSpan OverAfter = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private ITimer? _timer;
    private long _began;
    private long _last;
    private long _count;

    public void Report(StoreUnavailableException exception)
    {
        lock (_lock)
        {
            _last = time.GetTimestamp();
            if (++_count > 1)
            {
                return;
            }
            _began = _last;
            _timer ??= time.CreateTimer(_ => EndIfOver(), state: null, OverAfter, OverAfter);
        }
        LogAway(exception.Reason);
    }

    public void Dispose() => _timer?.Dispose();

    private void EndIfOver()
    {
        long count;
        TimeSpan lasted;
        lock (_lock)
        {
            if (_count == 0 || time.GetElapsedTime(_last) < OverAfter)
            {
                return;
            }
            (count, lasted) = (_count, time.GetElapsedTime(_began, _last));
            _count = 0;
            _timer?.Dispose();
            _timer = null;
        }
        LogOver(OverAfter, count, lasted);
    }

    [LoggerMessage(
        EventId = 1001,
        Level = LogLevel.Error,
        Message = "The store is away: {Reason}. Requests are answered 503, and counted, until it is back")]
    private partial void LogAway(Printed reason);

    [LoggerMessage(
        EventId = 1002, Level = LogLevel.Warning,
        Message = "No request has failed for {OverAfter}: the store is back. {Count} requests were answered 503, within {Lasted}")]
    private partial void LogOver(TimeSpan overAfter, long count, TimeSpan lasted);
}
