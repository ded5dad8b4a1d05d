namespace Dcr.ClientAuthentication;

/// <summary>
/// The <c>jti</c> of every assertion accepted, shared by all nodes. A record is there when the call returns and
/// survives the end of the process; it may be removed once <c>expiresAt</c> has passed, and not before.
/// </summary>
public interface IAssertionReplayStore
{
    /// <summary>Atomic: of parallel calls with one client id and <c>jti</c>, one records.</summary>
    Task<RecordAssertionOutcome> RecordAsync(string clientId, string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken);
}

public enum RecordAssertionOutcome
{
    Recorded,
    AlreadyUsed,
}
