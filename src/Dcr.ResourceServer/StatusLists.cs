using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Dcr.Jose;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Dcr.ResourceServer;

/// <summary>
/// The server's status lists (draft-ietf-oauth-status-list-21), each fetched again by the first request that finds it as old as the options
/// say, for all who ask meanwhile. Where it cannot be fetched, the last one goes on until it is too old, and then nothing is taken.
/// </summary>
internal sealed partial class StatusLists(IOptions<DcrResourceServerOptions> options, TimeProvider time, ILogger<StatusLists> logger)
{
    private const string MediaType = "application/statuslist+jwt";
    private const int MaxLists = 1000;
    private const int MaxDocument = 4 * 1024 * 1024;

    // While the server does not answer, one request in this time waits to find out.
    private static readonly TimeSpan s_pauseAfterFailure = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, SharedRefresh<Fetched>> _lists = new(StringComparer.Ordinal);

    /// <param name="token">Which is otherwise in order.</param>
    /// <param name="jwt">Where the list and the keys are fetched with.</param>
    /// <param name="patience">How long the request may still wait for the server.</param>
    /// <param name="cancellationToken">Ends this wait only.</param>
    /// <returns>Null when the token's client is in good standing.</returns>
    public async Task<string?> FaultAsync(JsonWebToken token, JwtBearerOptions jwt, TimeSpan patience, CancellationToken cancellationToken)
    {
        if (!token.TryGetPayloadValue<JsonElement>("status", out var status)
            || !status.TryGetProperty("status_list", out var reference)
            || !reference.TryGetProperty("uri", out var uri)
            || !reference.TryGetProperty("idx", out var idx)
            || !idx.TryGetInt64(out var index))
        {
            return "The token does not say where its status is.";
        }
        var list = await FindAsync(uri.GetString() ?? "", jwt, patience, cancellationToken);
        return list is null ? "The status of the token cannot be told now."
            : list.IsSet(index) ? "The client has been stopped, or the token ended."
            : null;
    }

    private async Task<StatusList?> FindAsync(string uri, JwtBearerOptions jwt, TimeSpan patience, CancellationToken cancellationToken)
    {
        // The issuer signed the token; its lists are nowhere else.
        if (!uri.StartsWith(options.Value.Issuer + "/", StringComparison.Ordinal) || (_lists.Count >= MaxLists && !_lists.ContainsKey(uri)))
        {
            return null;
        }
        var shared = _lists.GetOrAdd(
            uri, _ => new SharedRefresh<Fetched>((known, stop) => FetchAsync(uri, known, jwt, stop), Rules(jwt), time));
        var found = shared.GetAsync(cancellationToken);
        try
        {
            return (found.IsCompletedSuccessfully ? found.Result : await found.AsTask().WaitAsync(patience, time, cancellationToken)).List;
        }
        catch (Exception exception) when (IsOutage(exception) && !cancellationToken.IsCancellationRequested)
        {
            // It is in the log already. The last list goes on until it is too old, also for who has waited long enough.
            return shared.Usable?.List;
        }
    }

    private SharedRefreshRules<Fetched> Rules(JwtBearerOptions jwt) => new()
    {
        FreshFor = fetched => time.GetUtcNow() < fetched.List.ExpiresAt ? options.Value.StatusRefresh : TimeSpan.Zero,
        UsableFor = fetched => time.GetUtcNow() < fetched.List.ExpiresAt ? options.Value.MaxStatusAge : TimeSpan.Zero,
        Timeout = jwt.BackchannelTimeout,
        PauseAfterFailure = s_pauseAfterFailure,
    };

    private async Task<Fetched> FetchAsync(string uri, Fetched? known, JwtBearerOptions jwt, CancellationToken cancellationToken)
    {
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(MediaType));
            // A cache on the way must not make the list older than the options say.
            request.Headers.CacheControl = new CacheControlHeaderValue { MaxAge = options.Value.StatusRefresh };
            if (known?.EntityTag is { } tag)
            {
                request.Headers.IfNoneMatch.Add(tag);
            }
            using var response = await jwt.Backchannel.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
            if (response.StatusCode == HttpStatusCode.NotModified && known is not null)
            {
                return known;
            }
            response.EnsureSuccessStatusCode();
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            return text.Length <= MaxDocument && await StatusList.ReadAsync(text, uri, jwt, time, cancellationToken) is { } list
                ? new Fetched(list, response.Headers.ETag)
                : throw new InvalidDataException("What the server answers is no status list that it signed for this URL.");
        }
        catch (Exception exception) when (IsOutage(exception))
        {
            LogAway(exception, uri);
            throw;
        }
    }

    // IdentityModel says by InvalidOperationException that it has no keys.
    private static bool IsOutage(Exception exception) =>
        exception is HttpRequestException or InvalidOperationException or IOException or TimeoutException or OperationCanceledException;

    private sealed record Fetched(StatusList List, EntityTagHeaderValue? EntityTag);

    [LoggerMessage(
        EventId = 5001,
        Level = LogLevel.Warning,
        Message = "The status list {Uri} cannot be fetched; the last one goes on until it is too old")]
    private partial void LogAway(Exception exception, string uri);
}
