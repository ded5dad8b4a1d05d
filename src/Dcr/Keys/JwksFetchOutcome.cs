namespace Dcr.Keys;

/// <summary>What a download of a JWK Set came to.</summary>
internal abstract record JwksFetchOutcome;

/// <param name="Keys">The usable keys of the document.</param>
/// <param name="Bytes">Size of the document after decompression.</param>
/// <param name="Validators">For the next, conditional download.</param>
/// <param name="MaxAge">How long the host says it may be kept, zero if not at all. Null: it does not say.</param>
internal sealed record JwksFetched(ClientKeySet Keys, int Bytes, JwksValidators Validators, TimeSpan? MaxAge) : JwksFetchOutcome;

/// <summary>The document is still the one that the validators are of (RFC 9110 section 15.4.5).</summary>
internal sealed record JwksNotModified(TimeSpan? MaxAge) : JwksFetchOutcome;

/// <summary>ETag and Last-Modified of a document, as the host wrote them; null where it did not.</summary>
internal sealed record JwksValidators(string? ETag, DateTimeOffset? LastModified)
{
    public static readonly JwksValidators None = new(null, null);
}

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
