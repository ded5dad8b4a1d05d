namespace Dcr.Protocol;

/// <summary>Work that one node does for all.</summary>
public interface ILeaseStore
{
    /// <summary>
    /// Atomic: takes, or goes on holding, the lease until <paramref name="until"/>. False: another holds it and its time
    /// has not come. A lease saves work; nothing may rely on it for safety, since a node that stalls does not notice that
    /// its lease has ended.
    /// </summary>
    Task<bool> TryTakeAsync(string name, string holder, DateTimeOffset until, CancellationToken cancellationToken);
}
