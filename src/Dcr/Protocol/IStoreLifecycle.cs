namespace Dcr.Protocol;

/// <summary>What the server asks of its store as a whole.</summary>
public interface IStoreLifecycle
{
    /// <summary>Makes the tables or indexes that are missing. May be called by several nodes at once, and again.</summary>
    Task InitializeAsync(CancellationToken cancellationToken);

    /// <summary>Returns when the store answers; throws <see cref="StoreUnavailableException"/> when it does not.</summary>
    Task PingAsync(CancellationToken cancellationToken);

    /// <summary>What time it is for the store. Null: it does not know.</summary>
    Task<StoreClock?> ReadClockAsync(CancellationToken cancellationToken);
}

/// <param name="At">The store's time.</param>
/// <param name="Accuracy">How far a clock that is right may be from it.</param>
/// <param name="IsExact">False: it is only known to have been that late at some time, and a clock that is right may be further
/// ahead.</param>
public sealed record StoreClock(DateTimeOffset At, TimeSpan Accuracy, bool IsExact);
