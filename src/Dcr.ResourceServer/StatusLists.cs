using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Dcr.ResourceServer;

/// <summary>
/// The server's status lists (draft-ietf-oauth-status-list-21), each fetched again by the first request that finds it as old as the options
/// say, the others wait for that one. What cannot be had is never taken for good.
/// </summary>
internal sealed partial class StatusLists(IOptions<DcrResourceServerOptions> options, TimeProvider time, ILogger<StatusLists> logger)
{
    private const string MediaType = "application/statuslist+jwt";
    private const int MaxLists = 1000;
    private const int MaxDocument = 4 * 1024 * 1024;

    private readonly ConcurrentDictionary<string, Entry> _lists = new(StringComparer.Ordinal);

    /// <summary>Null when the token's client is in good standing.</summary>
    public async Task<string?> FaultAsync(JsonWebToken token, JwtBearerOptions jwt, CancellationToken cancellationToken)
    {
        if (!token.TryGetPayloadValue<JsonElement>("status", out var status)
            || !status.TryGetProperty("status_list", out var reference)
            || !reference.TryGetProperty("uri", out var uri)
            || !reference.TryGetProperty("idx", out var idx)
            || !idx.TryGetInt64(out var index))
        {
            return "The token does not say where its status is.";
        }
        var list = await FindAsync(uri.GetString() ?? "", jwt, cancellationToken);
        return list is null ? "The status of the token cannot be told now." : list.IsSet(index) ? "The client has been stopped, or the token ended." : null;
    }

    private async Task<StatusList?> FindAsync(string uri, JwtBearerOptions jwt, CancellationToken cancellationToken)
    {
        // The issuer signed the token; its lists are nowhere else.
        if (!uri.StartsWith(options.Value.Issuer + "/", StringComparison.Ordinal) || (_lists.Count >= MaxLists && !_lists.ContainsKey(uri)))
        {
            return null;
        }
        var entry = _lists.GetOrAdd(uri, _ => new Entry());
        if (Current(entry, options.Value.StatusRefresh) is { } current)
        {
            return current;
        }
        await entry.Fetching.WaitAsync(cancellationToken);
        try
        {
            if (Current(entry, options.Value.StatusRefresh) is null)
            {
                await FetchAsync(uri, entry, jwt, cancellationToken);
            }
            return Current(entry, options.Value.MaxStatusAge);
        }
        finally
        {
            entry.Fetching.Release();
        }
    }

    private StatusList? Current(Entry entry, TimeSpan age)
    {
        var now = time.GetUtcNow();
        return entry.List is { } list && now - entry.FetchedAt < age && now < list.ExpiresAt ? list : null;
    }

    private async Task FetchAsync(string uri, Entry entry, JwtBearerOptions jwt, CancellationToken cancellationToken)
    {
        try
        {
            var asked = time.GetUtcNow();
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(MediaType));
            // A cache on the way must not make the list older than the options say.
            request.Headers.CacheControl = new CacheControlHeaderValue { MaxAge = options.Value.StatusRefresh };
            if (entry.EntityTag is { } tag)
            {
                request.Headers.IfNoneMatch.Add(tag);
            }
            using var response = await jwt.Backchannel.SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken);
            if (response.StatusCode == HttpStatusCode.NotModified && entry.List is not null)
            {
                entry.FetchedAt = asked;
                return;
            }
            response.EnsureSuccessStatusCode();
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            var list = text.Length <= MaxDocument ? await StatusList.ReadAsync(text, uri, jwt, time, cancellationToken) : null;
            if (list is null)
            {
                LogNotValid(uri);
                return;
            }
            (entry.List, entry.FetchedAt, entry.EntityTag) = (list, asked, response.Headers.ETag);
        }
        catch (Exception exception) when (exception is HttpRequestException or InvalidOperationException or (OperationCanceledException and not null) && !cancellationToken.IsCancellationRequested)
        {
            // The last list goes on until it is too old.
            LogAway(exception, uri);
        }
    }

    private sealed class Entry
    {
        public SemaphoreSlim Fetching { get; } = new(1);

        public StatusList? List { get; set; }

        public DateTimeOffset FetchedAt { get; set; }

        public EntityTagHeaderValue? EntityTag { get; set; }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The status list {Uri} cannot be fetched; the last one goes on until it is too old")]
    private partial void LogAway(Exception exception, string uri);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What {Uri} serves is no valid status list")]
    private partial void LogNotValid(string uri);
}
