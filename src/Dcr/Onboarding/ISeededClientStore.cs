namespace Dcr.Onboarding;

/// <summary>
/// From which entry of a seed file each client was last made. It is kept when the client is deleted: an entry that made a client which
/// somebody deleted since does not make it again. Durable when a call returns, and seen by the next call on every node.
/// </summary>
public interface ISeededClientStore
{
    /// <summary>The hash of the entry. Null: no seed file has made this client.</summary>
    Task<string?> FindEntryAsync(string clientId, CancellationToken cancellationToken);

    /// <summary>Takes the place of what was recorded before; of calls at once, any one stays.</summary>
    Task RecordEntryAsync(string clientId, string entryHash, CancellationToken cancellationToken);
}
