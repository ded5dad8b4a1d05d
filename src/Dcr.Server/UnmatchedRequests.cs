using Dcr.Protocol;

namespace Dcr.Server;

/// <summary>A server that serves nothing else answers every path in the words of OAuth, also where no route is.</summary>
internal static class UnmatchedRequests
{
    public static void UseAnswersForUnmatchedRequests(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            SafeHeaders.Set(context.Response.Headers);
            return next(context);
        });
        app.UseStatusCodePages(async context => await ErrorFor(context.HttpContext.Response.StatusCode).ExecuteAsync(context.HttpContext));
        app.UseRouting();
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
