namespace Dcr.Protocol;

/// <summary>What the server asks of its store as a whole.</summary>
public interface IStoreLifecycle
{
    /// <summary>Makes the tables or indexes that are missing. May be called by several nodes at once, and again.</summary>
    Task InitializeAsync(CancellationToken cancellationToken);

    /// <summary>Returns when the store answers; throws <see cref="StoreUnavailableException"/> when it does not.</summary>
    Task PingAsync(CancellationToken cancellationToken);
}
