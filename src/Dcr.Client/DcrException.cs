using System.Net;

namespace Dcr.Client;

/// <summary>
/// The server has understood the request and refused it (RFC 6749 section 5.2, RFC 7591 section 3.2.2), or answered with
/// another status that is no success. A server that cannot be reached or whose answer makes no sense is an
/// <see cref="HttpRequestException"/>.
/// </summary>
/// <example>
/// <code>
/// catch (DcrException refusal) when (refusal.Error == "invalid_client_metadata")
/// {
///     logger.LogError("Not registered: {Why}", refusal.ErrorDescription);
/// }
/// </code>
/// </example>
public sealed class DcrException : Exception
{
    /// <summary>A refusal.</summary>
    /// <param name="statusCode">Of the answer.</param>
    /// <param name="error">The <c>error</c> member. Null: the answer had none.</param>
    /// <param name="errorDescription">The <c>error_description</c> member. Null: the answer had none.</param>
    /// <param name="retryAfter">The <c>Retry-After</c> header. Null: the answer had none.</param>
    public DcrException(HttpStatusCode statusCode, string? error, string? errorDescription = null, TimeSpan? retryAfter = null)
        : base($"{(int)statusCode} {error ?? "without an OAuth error"}{(errorDescription is null ? "" : $": {errorDescription}")}")
    {
        StatusCode = statusCode;
        Error = error;
        ErrorDescription = errorDescription;
        RetryAfter = retryAfter;
    }

    /// <summary>The status of the answer.</summary>
    public HttpStatusCode StatusCode { get; }

    /// <summary>The code to act on, such as <c>invalid_client</c> or <c>invalid_client_metadata</c>. Null: the answer had none.</summary>
    public string? Error { get; }

    /// <summary>For the developer, not to be parsed: what is wrong and which member. Null: the answer had none.</summary>
    public string? ErrorDescription { get; }

    /// <summary>When it is worth trying again. Null: the server did not say.</summary>
    public TimeSpan? RetryAfter { get; }
}
