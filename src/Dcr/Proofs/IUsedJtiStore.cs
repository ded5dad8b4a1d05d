namespace Dcr.Proofs;

/// <summary>
/// The <c>jti</c> of every assertion accepted, shared by all nodes. A record is there when the call returns and
/// survives the end of the process; it may be removed an hour after <c>expiresAt</c>, and not before, by a clock that
/// no jump of a wall clock moves.
/// </summary>
public interface IUsedJtiStore
{
    /// <summary>Atomic: of parallel calls with one client id and <c>jti</c>, one records.</summary>
    Task<RecordJtiOutcome> RecordAsync(string clientId, string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken);

    /// <summary>
    /// Whether such a call would find the <c>jti</c> used at this moment. Only to tell somebody: nothing is recorded, and
    /// another request may use it a moment later. Who accepts an assertion calls <see cref="RecordAsync"/> alone.
    /// </summary>
    Task<bool> IsUsedAsync(string clientId, string jti, CancellationToken cancellationToken);
}

public enum RecordJtiOutcome
{
    Recorded,
    AlreadyUsed,
}
