namespace Dcr.Protocol;

/// <summary>Work that one node does for all.</summary>
public interface ILeaseStore
{
    /// <summary>
    /// Atomic: takes the lease, or renews it. It is held for <paramref name="life"/> from each renewal on, as whoever wants it measures
    /// by its own monotonic clock: so no wall clock, right or wrong, takes a lease away or keeps it after its holder has ended. False:
    /// another holds it, and this node has not seen it go without a renewal for so long. A lease saves work; nothing may rely on it for
    /// safety, since a node that stalls does not notice that its lease has ended.
    /// </summary>
    Task<bool> TryTakeAsync(string name, string holder, TimeSpan life, CancellationToken cancellationToken);
}
