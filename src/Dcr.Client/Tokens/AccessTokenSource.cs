using System.Collections.Concurrent;
using System.Net;

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
    private static readonly TimeSpan s_stillUsable = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_pauseAfterFailure = TimeSpan.FromSeconds(5);

    private readonly TokenEndpoint _endpoint;
    private readonly ClientCredentials _client;
    private readonly ConcurrentDictionary<(string? Scope, string? Resource), Slot> _slots = new();
    private ISigningKey? _proofKey;

    internal AccessTokenSource(TokenEndpoint endpoint, ClientCredentials client, ISigningKey? proofKey, ProtocolExchange exchange)
    {
        _endpoint = endpoint;
        _client = client;
        _proofKey = proofKey;
        Nonces = exchange.Nonces;
        Time = exchange.Time;
    }

    internal DpopNonces Nonces { get; }

    internal TimeProvider Time { get; }

    /// <summary>A token that works now: one from before, or a new one.</summary>
    /// <param name="scope">Space-separated, within what is registered. Null: all of it.</param>
    /// <param name="resource">The API it is for (RFC 8707). Null: the server's default.</param>
    /// <param name="cancellationToken">Stops the wait; others who wait for the same token go on.</param>
    /// <exception cref="DcrException">The server refused, for instance with <c>invalid_client</c> when the client was stopped.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached, and no token from before is left.</exception>
    public async Task<AccessToken> GetAsync(string? scope = null, string? resource = null, CancellationToken cancellationToken = default)
    {
        var slot = _slots.GetOrAdd((Sorted(scope), resource), static _ => new Slot());
        if (slot.Fresh(Time.GetUtcNow()) is { } fresh)
        {
            return fresh;
        }
        // One renews; the others go on with the old token while it lasts.
        var usable = slot.Usable(Time.GetUtcNow() + s_stillUsable);
        if (usable is not null)
        {
            if (!await slot.Gate.TryEnterAsync(cancellationToken).ConfigureAwait(false))
            {
                return usable;
            }
        }
        else
        {
            await slot.Gate.EnterAsync(cancellationToken).ConfigureAwait(false);
        }
        try
        {
            return slot.Fresh(Time.GetUtcNow()) ?? (slot.Token = await RequestAsync(scope, resource, cancellationToken).ConfigureAwait(false));
        }
        catch (Exception exception) when (usable is not null && slot.Token == usable && IsOutage(exception, cancellationToken))
        {
            slot.Token = usable with { RenewAt = Time.GetUtcNow() + s_pauseAfterFailure };
            return usable;
        }
        finally
        {
            slot.Gate.Leave();
        }
    }

    /// <summary>Never hands this token out again: an API has refused it.</summary>
    /// <param name="token">From <see cref="GetAsync"/>. One that has been renewed meanwhile changes nothing.</param>
    public void Forget(AccessToken token)
    {
        ArgumentNullException.ThrowIfNull(token);
        foreach (var slot in _slots.Values)
        {
            slot.Forget(token.Value);
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

    private static bool IsOutage(Exception exception, CancellationToken cancellationToken) =>
        ProtocolExchange.IsLost(exception, cancellationToken) || exception is DcrException { StatusCode: >= HttpStatusCode.InternalServerError or HttpStatusCode.TooManyRequests };

    private static string? Sorted(string? scope) =>
        scope is null ? null : string.Join(' ', scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));

    /// <summary>The token of one scope and resource.</summary>
    private sealed class Slot
    {
        private AccessToken? _token;

        public AsyncGate Gate { get; } = new();

        public AccessToken? Token
        {
            get => Volatile.Read(ref _token);
            set => Volatile.Write(ref _token, value);
        }

        public AccessToken? Fresh(DateTimeOffset now) => Token is { } token && token.RenewAt > now && token.ExpiresAt > now ? token : null;

        public AccessToken? Usable(DateTimeOffset until) => Token is { } token && token.ExpiresAt > until ? token : null;

        public void Forget(string value)
        {
            if (Token is { } token && token.Value == value)
            {
                Interlocked.CompareExchange(ref _token, null, token);
            }
        }
    }
}
