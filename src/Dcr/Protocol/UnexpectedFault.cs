using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dcr.Protocol;

/// <summary>The one handler of exceptions: an outage is 503, a request that breaks HTTP its own status, all else 500 without detail.</summary>
internal sealed partial class UnexpectedFault(StoreOutage outage, ILogger<UnexpectedFault> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && httpContext.RequestAborted.IsCancellationRequested)
        {
            // The caller has gone: there is nobody to answer.
            httpContext.Abort();
            return true;
        }
        SafeHeaders.Set(httpContext.Response.Headers);
        await new OAuthErrorResult(ToError(exception)).ExecuteAsync(httpContext);
        return true;
    }

    private OAuthError ToError(Exception exception)
    {
        switch (exception)
        {
            case StoreUnavailableException away:
                outage.Report(away);
                return OAuthError.TemporarilyUnavailable();
            case DownloadsBusyException:
                return OAuthError.DownloadsBusy();
            case BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge }:
                return OAuthError.InvalidRequest("The body is larger than 64 KiB.", StatusCodes.Status413PayloadTooLarge);
            case BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout }:
                return RequestBody.TooSlow();
            case BadHttpRequestException bad:
                return OAuthError.InvalidRequest("The request cannot be understood.", bad.StatusCode);
            default:
                LogFault(exception);
                return OAuthError.ServerError();
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Unexpected fault")]
    private partial void LogFault(Exception exception);
}
