namespace Dcr.Protocol;

/// <summary>What the server asks of its store as a whole.</summary>
/// <remarks>
/// What holds for every interface whose name begins with I and ends with Store, and for this one:
/// <list type="bullet">
/// <item>One instance a process, called by any number of requests at once, on any number of nodes.</item>
/// <item>A write is durable when the call returns, and the next read on every node sees it, also after the store has failed over.</item>
/// <item>Expected refusals are outcomes. A store that cannot be reached, cannot write, or does not know whether it wrote throws
/// <see cref="StoreUnavailableException"/>, and no other exception means "away"; any other is taken for a bug. It sets
/// <see cref="StoreUnavailableException.NothingWritten"/> only when it knows. It does not try a write again by itself.</item>
/// <item>What is called atomic is one step on all nodes together: of calls at once, one finds what the other left. A crash leaves the whole
/// step or nothing of it, its audit record included; a store that needs several writes finishes or undoes them by itself.</item>
/// <item>Ids are any text, compared by code unit (ordinal), and are never read as part of a query. Times are whole milliseconds.</item>
/// <item>A cancelled call may have made its write or not.</item>
/// </list>
/// The package Dcr.Storage.Testing is all of this as tests.
/// </remarks>
public interface IStoreLifecycle
{
    /// <summary>
    /// Makes the tables or indexes that are missing, and brings those of an earlier version up to date. Called once by each node before it
    /// serves; several nodes may call it at once, and again.
    /// </summary>
    Task InitializeAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Returns when the store answers and takes writes; throws <see cref="StoreUnavailableException"/> when it does not. Called by the
    /// health check, so it answers within seconds and costs little.
    /// </summary>
    Task PingAsync(CancellationToken cancellationToken);

    /// <summary>What time it is for the store, to be compared with the node's own clock. Null: it does not know.</summary>
    Task<StoreClock?> ReadClockAsync(CancellationToken cancellationToken);
}

/// <param name="At">The store's time.</param>
/// <param name="Accuracy">How far a clock that is right may be from it.</param>
/// <param name="IsExact">False: it is only known to have been that late at some time, and a clock that is right may be further
/// ahead.</param>
public sealed record StoreClock(DateTimeOffset At, TimeSpan Accuracy, bool IsExact);
