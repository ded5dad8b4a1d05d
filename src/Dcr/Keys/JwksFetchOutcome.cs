using Dcr.Jose;

namespace Dcr.Keys;

/// <summary>What a download of a JWK Set came to.</summary>
internal abstract record JwksFetchOutcome;

/// <param name="Keys">The usable keys of the document.</param>
/// <param name="Validators">For the next, conditional download.</param>
/// <param name="MaxAge">How long the host says it may be kept, zero if not at all. Null: it does not say.</param>
internal sealed record JwksFetched(PublicKeySet Keys, JwksValidators Validators, TimeSpan? MaxAge) : JwksFetchOutcome;

/// <summary>The document is still the one that the validators are of (RFC 9110 section 15.4.5).</summary>
internal sealed record JwksNotModified(TimeSpan? MaxAge) : JwksFetchOutcome;

/// <summary>ETag and Last-Modified of a document, as the host wrote them; null where it did not.</summary>
internal sealed record JwksValidators(string? ETag, DateTimeOffset? LastModified)
{
    public static readonly JwksValidators None = new(null, null);
}

/// <param name="Reason">For the log and for metrics.</param>
/// <param name="Detail">For the log and for administrators: what went wrong.</param>
/// <param name="Description">Safe for strangers: never tells what was found at an address.</param>
internal sealed record JwksFetchFailed(JwksFetchFailure Reason, string Detail, string Description) : JwksFetchOutcome;

/// <summary>It did not come to its turn: the host was not asked, and nothing is known of it.</summary>
internal sealed record JwksFetchBusy : JwksFetchOutcome;

internal enum JwksFetchFailure
{
    NotAllowed,
    NotPublic,
    Unreachable,
    Timeout,
    Status,
    TooLarge,

    /// <summary>Not JSON with the member <c>keys</c>.</summary>
    NotJson,

    /// <summary>It claims to be a set, and its keys cannot be used.</summary>
    NotAJwkSet,
}
