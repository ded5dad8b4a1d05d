namespace Dcr.Keys;

/// <summary>What a download of a JWK Set came to.</summary>
internal abstract record JwksFetchOutcome;

internal sealed record JwksFetched(ClientKeySet Keys) : JwksFetchOutcome;

/// <param name="Reason">For the log and for metrics.</param>
/// <param name="Description">Safe for strangers: names the rule, never an address or what was found there.</param>
internal sealed record JwksFetchFailed(JwksFetchFailure Reason, string Description) : JwksFetchOutcome;

internal enum JwksFetchFailure
{
    NotAllowed,
    NotPublic,
    Unreachable,
    Timeout,
    Busy,
    Status,
    ContentType,
    TooLarge,
    NotAJwkSet,
}
