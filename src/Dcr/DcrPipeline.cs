using Dcr.Proofs;
using Dcr.Protocol;
using Dcr.Protocol.RateLimits;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr;

public static class DcrPipeline
{
    /// <summary>What every request passes before its endpoint: safe headers, JSON for every error, the readiness gate.</summary>
    public static void UseDcr(this WebApplication app)
    {
        var nonces = app.Services.GetRequiredService<DpopNonces>();
        var readiness = app.Services.GetRequiredService<Readiness>();

        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            // UnexpectedFault answers every exception and logs it once; the middleware insists on a handler of its own.
            ExceptionHandler = _ => Task.CompletedTask,
            SuppressDiagnosticsCallback = _ => true,
        });
        app.Use(async (context, next) =>
        {
            SafeHeaders.Set(context.Response.Headers);
            nonces.Offer(context);
            await next(context);
        });
        app.UseStatusCodePages(async context => await AnswerAsync(context.HttpContext));
        app.UseRoutingWithHead();
        app.UseCors();
        app.Use(async (context, next) =>
        {
            if (readiness.IsReady || context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal))
            {
                await next(context);
                return;
            }
            await new OAuthErrorResult(OAuthError.TemporarilyUnavailable()).ExecuteAsync(context);
        });
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseRateLimits();
    }

    private static Task AnswerAsync(HttpContext context)
    {
        if (context.Response.StatusCode == StatusCodes.Status405MethodNotAllowed)
        {
            HeadRequests.AllowHead(context.Response);
        }
        return ErrorFor(context.Response.StatusCode).ExecuteAsync(context);
    }

    // Answers that routing gives by itself, with an empty body.
    private static OAuthErrorResult ErrorFor(int status) => new(status switch
    {
        StatusCodes.Status404NotFound => OAuthError.NotFound("There is nothing at this path."),
        StatusCodes.Status405MethodNotAllowed => OAuthError.InvalidRequest("The method is not allowed here; see the Allow header.", status),
        >= 500 => OAuthError.ServerError() with { Status = status },
        _ => OAuthError.InvalidRequest("The request cannot be understood.", status),
    });
}
