using System.Collections.Concurrent;
using System.Net;
using Dcr.Jose;

namespace Dcr.Client;

/// <summary>
/// One client's access tokens, from <see cref="DcrClient.AccessTokensFor"/>: kept while they last, renewed before they end,
/// asked for once however many callers wait. Keep one for each client, as long as the client is used.
/// </summary>
/// <example>
/// <code>
/// var tokens = dcr.AccessTokensFor(new ClientCredentials(clientId, key));
/// AccessToken token = await tokens.GetAsync("read");
/// request.Headers.Authorization = new(token.TokenType, token.Value);
/// </code>
/// </example>
public sealed class AccessTokenSource
{
    private static readonly TimeSpan s_longestMargin = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_stillUsable = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_pauseAfterFailure = TimeSpan.FromSeconds(5);

    private readonly TokenEndpoint _endpoint;
    private readonly ClientCredentials _client;
    private readonly ConcurrentDictionary<(string? Scope, string? Resource), SharedRefresh<AccessToken>> _tokens = new();
    private readonly SharedRefreshRules<AccessToken> _rules;
    private volatile ISigningKey? _proofKey;

    internal AccessTokenSource(TokenEndpoint endpoint, ClientCredentials client, ISigningKey? proofKey, ProtocolExchange exchange)
    {
        _endpoint = endpoint;
        _client = client;
        _proofKey = proofKey;
        Nonces = exchange.Nonces;
        Time = exchange.Time;
        _rules = new SharedRefreshRules<AccessToken>
        {
            FreshFor = static token => token.Lifetime - (token.Lifetime / 5 < s_longestMargin ? token.Lifetime / 5 : s_longestMargin),
            UsableFor = static token => token.Lifetime - s_stillUsable,
            Timeout = exchange.Longest,
            // One renews; the others go on with the old token while it lasts.
            Meanwhile = WhileRefreshing.OneWaits,
            PauseAfterFailure = s_pauseAfterFailure,
            IsOutage = IsOutage,
        };
    }

    internal DpopNonces Nonces { get; }

    internal TimeProvider Time { get; }

    /// <summary>A token that works now: one from before, or a new one.</summary>
    /// <param name="scope">Space-separated, within what is registered. Null: all of it.</param>
    /// <param name="resource">The API it is for (RFC 8707). Null: the server's default.</param>
    /// <param name="cancellationToken">Stops the wait; others who wait for the same token go on.</param>
    /// <exception cref="DcrException">The server refused, for instance with <c>invalid_client</c> when the client was stopped.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached, and no token from before is left.</exception>
    /// <exception cref="TimeoutException">The client's key, far away, does not answer.</exception>
    public async Task<AccessToken> GetAsync(string? scope = null, string? resource = null, CancellationToken cancellationToken = default)
    {
        var tokens = _tokens.GetOrAdd(
            (Sorted(scope), resource),
            static (_, asked) =>
                new SharedRefresh<AccessToken>(
                    (_, stop) => asked.Source.RequestAsync(asked.Scope, asked.Resource, stop), asked.Source._rules, asked.Source.Time),
            (Source: this, Scope: scope, Resource: resource));
        return await tokens.GetAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Never hands this token out again: an API has refused it.</summary>
    /// <param name="token">From <see cref="GetAsync"/>. One that has been renewed meanwhile changes nothing.</param>
    public void Forget(AccessToken token)
    {
        ArgumentNullException.ThrowIfNull(token);
        foreach (var tokens in _tokens.Values)
        {
            tokens.Drop(kept => kept.Value == token.Value);
        }
    }

    private async Task<AccessToken> RequestAsync(string? scope, string? resource, CancellationToken cancellationToken)
    {
        try
        {
            return await _endpoint.RequestAsync(_client, scope, resource, _proofKey, cancellationToken).ConfigureAwait(false);
        }
        catch (DcrException refusal) when (_proofKey is null && refusal.Error is "invalid_dpop_proof" or DpopNonces.Wanted)
        {
            // The server binds this client's tokens to a key; its own is at hand.
            _proofKey = _client.Key;
            return await _endpoint.RequestAsync(_client, scope, resource, _proofKey, cancellationToken).ConfigureAwait(false);
        }
    }

    private static bool IsOutage(Exception exception) =>
        exception is TimeoutException or DcrException
        {
            StatusCode: >= HttpStatusCode.InternalServerError or HttpStatusCode.TooManyRequests,
        }
        || ProtocolExchange.IsLost(exception, CancellationToken.None);

    private static string? Sorted(string? scope) =>
        scope is null ? null : string.Join(' ', scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
}
