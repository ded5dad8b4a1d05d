namespace Dcr.Protocol;

/// <summary>
/// An expected refusal. <see cref="Description"/> is safe for strangers; <see cref="Detail"/> goes to the log only.
/// </summary>
internal sealed record OAuthError
{
    public required int Status { get; init; }

    public required string Code { get; init; }

    public required string Description { get; init; }

    /// <summary>Which rule failed and why, for the log and the audit trail. Null: the description says it all.</summary>
    public string? Detail { get; init; }

    /// <summary>When it is worth trying again. Null: it is not a matter of time.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The WWW-Authenticate header of the answer (RFC 9110 section 11.6.1). Null: it has none, or the route knows it.</summary>
    public string? Challenge { get; init; }

    /// <summary>
    /// What a handler answers when the store found that the grounds of its effect do not hold any more.
    /// <see cref="JudgementBehavior{TRequest, TResponse}"/> takes it and judges anew; nobody outside ever sees it.
    /// </summary>
    internal static readonly OAuthError GroundsChanged = ServerError();

    /// <summary>RFC 6749 section 5.2.</summary>
    public static OAuthError InvalidRequest(string description, int status = 400) =>
        new() { Status = status, Code = "invalid_request", Description = description };

    /// <summary>RFC 6749 section 5.2.</summary>
    public static OAuthError InvalidClient(string description, string? detail = null) =>
        new() { Status = 401, Code = "invalid_client", Description = description, Detail = detail };

    /// <summary>RFC 6749 section 5.2.</summary>
    public static OAuthError UnauthorizedClient(string description) =>
        new() { Status = 400, Code = "unauthorized_client", Description = description };

    /// <summary>RFC 6749 section 5.2.</summary>
    public static OAuthError UnsupportedGrantType(string description) =>
        new() { Status = 400, Code = "unsupported_grant_type", Description = description };

    /// <summary>RFC 6749 section 5.2.</summary>
    public static OAuthError InvalidScope(string description) =>
        new() { Status = 400, Code = "invalid_scope", Description = description };

    /// <summary>RFC 8707 section 2.</summary>
    public static OAuthError InvalidTarget(string description) =>
        new() { Status = 400, Code = "invalid_target", Description = description };

    /// <summary>RFC 6750 section 3.1.</summary>
    public static OAuthError InvalidToken(string description, string? detail = null) =>
        new() { Status = 401, Code = "invalid_token", Description = description, Detail = detail };

    /// <summary>RFC 6750 section 3.1.</summary>
    public static OAuthError InsufficientScope(string description) =>
        new() { Status = 403, Code = "insufficient_scope", Description = description };

    /// <summary>RFC 7592 section 2: a known client that may not do this. The code is RFC 6749's (section 4.1.2.1).</summary>
    public static OAuthError AccessDenied(string description) =>
        new() { Status = 403, Code = "access_denied", Description = description };

    /// <summary>RFC 9449 section 5.</summary>
    public static OAuthError InvalidDpopProof(string description) =>
        new() { Status = 400, Code = "invalid_dpop_proof", Description = description };

    /// <summary>RFC 9449 section 8. The nonce is in a header of the answer.</summary>
    public static OAuthError UseDpopNonce(string description) =>
        new() { Status = 400, Code = "use_dpop_nonce", Description = description };

    /// <summary>RFC 6585 section 4; the code is RFC 6749's (section 4.1.2.1).</summary>
    public static OAuthError TooManyRequests(string description, TimeSpan retryAfter) =>
        new() { Status = 429, Code = "temporarily_unavailable", Description = description, RetryAfter = retryAfter };

    /// <summary>RFC 7591 section 3.2.2.</summary>
    public static OAuthError InvalidRedirectUri(string description) =>
        new() { Status = 400, Code = "invalid_redirect_uri", Description = description };

    /// <summary>RFC 7591 section 3.2.2.</summary>
    public static OAuthError InvalidClientMetadata(string description, string? detail = null) =>
        new() { Status = 400, Code = "invalid_client_metadata", Description = description, Detail = detail };

    /// <summary>RFC 7591 section 3.2.2.</summary>
    public static OAuthError InvalidSoftwareStatement(string description, string? detail = null) =>
        new() { Status = 400, Code = "invalid_software_statement", Description = description, Detail = detail };

    /// <summary>RFC 7591 section 3.2.2.</summary>
    public static OAuthError UnapprovedSoftwareStatement(string description) =>
        new() { Status = 400, Code = "unapproved_software_statement", Description = description };

    /// <summary>The proof that a client holds an active key of its set; named after RFC 9449 section 5.</summary>
    public static OAuthError InvalidKeyProof(string description) =>
        new() { Status = 400, Code = "invalid_key_proof", Description = description };

    /// <summary>RFC 9110 section 15.5.13: the If-Match of the request names another version.</summary>
    public static OAuthError PreconditionFailed(string description) =>
        new() { Status = 412, Code = "precondition_failed", Description = description };

    /// <summary>RFC 9110 section 15.5.10: somebody else changed the client meanwhile.</summary>
    public static OAuthError Conflict(string description) =>
        new() { Status = 409, Code = "conflict", Description = description };

    public static OAuthError NotFound(string description) =>
        new() { Status = 404, Code = "not_found", Description = description };

    /// <summary>RFC 6749 section 4.1.2.1, used for every unexpected fault; never with any detail.</summary>
    public static OAuthError ServerError() =>
        new() { Status = 500, Code = "server_error", Description = "The server met an unexpected condition." };

    /// <summary>RFC 6749 section 4.1.2.1, with Retry-After.</summary>
    public static OAuthError TemporarilyUnavailable() =>
        new()
        {
            Status = 503,
            Code = "temporarily_unavailable",
            Description = "The server cannot answer just now. Try again shortly.",
            RetryAfter = TimeSpan.FromSeconds(5),
        };

    /// <summary>The same for want of a turn among the downloads of key documents.</summary>
    public static OAuthError DownloadsBusy() => TemporarilyUnavailable() with
    {
        Description = "The keys must be downloaded, and too many downloads are under way. Nothing was used up. Try again shortly.",
        RetryAfter = TimeSpan.FromSeconds(3),
    };
}
