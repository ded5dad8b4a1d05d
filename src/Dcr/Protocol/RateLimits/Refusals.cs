using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Dcr.Protocol.RateLimits;

/// <summary>A request's caller, once it has proved itself by a token.</summary>
/// <param name="Key">What it is counted under.</param>
internal sealed record ProvedCaller(string Key)
{
    public bool IsCounted { get; set; }
}

/// <summary>
/// What becomes of every refusal on its way out: a refused proof is charged to its address, and instead of being refused once more the
/// address is told to wait; and one line is left in the log, as long as there are not too many.
/// </summary>
internal sealed partial class Refusals(RequestLimits limits, CallerAddresses addresses, ILogger<Refusals> logger) : IDisposable
{
    private const int MaxDetail = 500;

    // A flood must not fill a disk: what is beyond this is counted, and the number is told with the next line.
    private readonly TokenBucketRateLimiter _lines = new(new TokenBucketRateLimiterOptions
    {
        TokenLimit = 1000,
        TokensPerPeriod = 20,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        QueueLimit = 0,
    });

    private long _untold;

    /// <summary>The refusal to answer with: the one that is given, or that it was one too many.</summary>
    public OAuthError Judge(OAuthError refusal, HttpContext context)
    {
        var tooMany = refusal switch
        {
            // RFC 9449 section 8: to be asked for a nonce is a step of the protocol, and no failed proof.
            { Code: "use_dpop_nonce" } => null,
            { Status: StatusCodes.Status401Unauthorized } => limits.CountRefusedProof(addresses.Of(context)),
            { Status: StatusCodes.Status403Forbidden } => Count(context),
            _ => null,
        };
        if (tooMany is not null)
        {
            Interlocked.Increment(ref _untold);
            return tooMany;
        }
        // What fails in the server, and what is at no path of it, has its own place in the log or none; so has a caller that has gone.
        if (refusal != RequestBody.BrokenOff
            && refusal.Status < StatusCodes.Status500InternalServerError
            && context.GetEndpoint() is RouteEndpoint route)
        {
            Tell(refusal, context.Features.Get<ProvedCaller>(), context.Request.Method, route.RoutePattern.RawText);
        }
        return refusal;
    }

    /// <summary>Counts a caller that has proved itself by a token, once a request. Null: it may go on.</summary>
    public OAuthError? Count(HttpContext context)
    {
        if (context.Features.Get<ProvedCaller>() is not { IsCounted: false } caller)
        {
            return null;
        }
        caller.IsCounted = true;
        return limits.CountProved(caller.Key);
    }

    public void Dispose() => _lines.Dispose();

    private void Tell(OAuthError refusal, ProvedCaller? caller, string method, string? route)
    {
        using var line = _lines.AttemptAcquire();
        if (!line.IsAcquired)
        {
            Interlocked.Increment(ref _untold);
            return;
        }
        if (Interlocked.Exchange(ref _untold, 0) is var untold and > 0)
        {
            LogUntold(untold);
        }
        // The detail may quote what the caller sent; a line break in it must not forge a line of the log.
        var who = caller is null ? "" : $"client {caller.Key}, ";
        var detail = OAuthErrorResult.Printable(who + (refusal.Detail ?? refusal.Description));
        LogRefused(method, route, refusal.Status, refusal.Code, detail.Length <= MaxDetail ? detail : detail[..MaxDetail] + "...");
    }

    [LoggerMessage(EventId = 1004, Level = LogLevel.Information, Message = "Refused {Method} {Route} with {Status} {Code}: {Detail}")]
    private partial void LogRefused(Printed method, Printed route, int status, Printed code, Printed detail);

    [LoggerMessage(EventId = 1005, Level = LogLevel.Warning, Message = "{Count} requests more were refused than there are lines for them")]
    private partial void LogUntold(long count);
}
