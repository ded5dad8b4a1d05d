using System.Net;

namespace Dcr.Client;

/// <summary>
/// Puts an access token on each request to an API. A 401 that says <c>invalid_token</c> is answered with a new token, one
/// that says <c>use_dpop_nonce</c> with the nonce; each once. Bodies of up to a mebibyte are kept in memory for that; a
/// request with a larger one is sent all the same, but not repeated, and its 401 is returned. <c>AddAccessTokens</c> adds one to an
/// HttpClient of a factory; make one here for an HttpClient of your own.
/// </summary>
/// <example>
/// <code>
/// using var http = new HttpClient(new AccessTokenHandler(tokens, "read") { InnerHandler = new SocketsHttpHandler() });
/// </code>
/// </example>
public sealed class AccessTokenHandler : DelegatingHandler
{
    private const int MaxBuffered = 1024 * 1024;

    private readonly AccessTokenSource _tokens;
    private readonly string? _scope;
    private readonly string? _resource;

    /// <summary>For one API: the token goes wherever the requests go.</summary>
    /// <param name="tokens">The client's tokens.</param>
    /// <param name="scope">Space-separated. Null: all that is registered.</param>
    /// <param name="resource">The API (RFC 8707). Null: the server's default.</param>
    public AccessTokenHandler(AccessTokenSource tokens, string? scope = null, string? resource = null)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        _tokens = tokens;
        _scope = scope;
        _resource = resource;
    }

    /// <inheritdoc/>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        throw new NotSupportedException("An HttpClient with access tokens sends asynchronously only.");

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.RequestUri is not { } uri || !SecureUri.IsSecure(uri))
        {
            throw new InvalidOperationException($"{request.RequestUri} is not https: no access token is sent there.");
        }
        var content = request.Content;
        if (content is { Headers.ContentLength: null })
        {
            request.Content = new RepeatableContent(content, MaxBuffered);
        }
        else if (content is { Headers.ContentLength: <= MaxBuffered })
        {
            await content.LoadIntoBufferAsync(cancellationToken).ConfigureAwait(false);
        }
        try
        {
            return await SendWithTokenAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // The caller's own, to be looked at and disposed of by the caller.
            request.Content = content;
        }
    }

    private async Task<HttpResponseMessage> SendWithTokenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var token = await _tokens.GetAsync(_scope, _resource, cancellationToken).ConfigureAwait(false);
        var (response, hasNewNonce) = await SendAsync(request, token, cancellationToken).ConfigureAwait(false);
        if (hasNewNonce && IsRefused(response, DpopNonces.Wanted) && IsRepeatable(request.Content))
        {
            response.Dispose();
            (response, _) = await SendAsync(request, token, cancellationToken).ConfigureAwait(false);
        }
        if (IsRefused(response, "invalid_token") && IsRepeatable(request.Content))
        {
            response.Dispose();
            _tokens.Forget(token);
            token = await _tokens.GetAsync(_scope, _resource, cancellationToken).ConfigureAwait(false);
            (response, _) = await SendAsync(request, token, cancellationToken).ConfigureAwait(false);
        }
        return response;
    }

    private static bool IsRepeatable(HttpContent? content) => content switch
    {
        null => true,
        RepeatableContent sent => sent.IsKept,
        _ => content.Headers.ContentLength <= MaxBuffered,
    };

    private static bool IsRefused(HttpResponseMessage response, string error) =>
        response.StatusCode == HttpStatusCode.Unauthorized && Challenges.Have(response, error);

    private async Task<(HttpResponseMessage Response, bool HasNewNonce)> SendAsync(
        HttpRequestMessage request, AccessToken token, CancellationToken cancellationToken)
    {
        var uri = request.RequestUri!;
        request.Headers.Authorization = new(token.TokenType, token.Value);
        request.Headers.Remove("DPoP");
        string? nonce = null;
        if (token.BoundTo is { } key)
        {
            nonce = _tokens.Nonces.For(uri);
            var proof = await DpopProof.CreateAsync(
                key, request.Method, uri, token.Value, nonce, _tokens.Time, cancellationToken).ConfigureAwait(false);
            request.Headers.TryAddWithoutValidation("DPoP", proof);
        }
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        return (response, _tokens.Nonces.Keep(uri, response, nonce));
    }
}
