namespace Dcr.TokenStatus;

/// <summary>
/// The bits of all status lists: one for each index, 0 until the tokens with that index are dead, then 1 permanently. An index is
/// given to a client when it first needs one, and is used up when the client stops being active or is signed out: that is
/// part of those writes (<see cref="Clients.IClientStore"/>). Bits are only ever set, so setting one may be repeated.
/// </summary>
public interface IStatusListStore
{
    /// <summary>
    /// The client's index; a fresh one if it has none. Atomic: of parallel calls all get the same. Null: the client is not
    /// active, or gone.
    /// </summary>
    Task<long?> AssignAsync(string clientId, CancellationToken cancellationToken);

    /// <summary>A number that is higher after a bit of the list has been set. Null: no client has an index in that list.</summary>
    Task<long?> FindVersionAsync(int list, CancellationToken cancellationToken);

    /// <summary>The whole list, bit 0 the lowest of the first byte. It has every bit that was set before the call.</summary>
    Task<byte[]> ReadAsync(int list, CancellationToken cancellationToken);
}
