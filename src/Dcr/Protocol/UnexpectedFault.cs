using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dcr.Protocol;

/// <summary>
/// What becomes of an exception: an outage is 503, a request that breaks HTTP its own status, all else 500 without detail.
/// </summary>
internal sealed partial class UnexpectedFault(StoreOutage outage, ILogger<UnexpectedFault> logger)
{
    public async Task AnswerAsync(HttpContext context, Exception exception)
    {
        if (exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            // The caller has gone: there is nobody to answer.
            context.Abort();
            return;
        }
        var error = ToError(exception);
        if (context.Response.HasStarted)
        {
            // Half an answer is none.
            context.Abort();
            return;
        }
        context.Response.Clear();
        SafeHeaders.Set(context.Response.Headers);
        await new OAuthErrorResult(error).ExecuteAsync(context);
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

    [LoggerMessage(EventId = 1003, Level = LogLevel.Error, Message = "Unexpected fault")]
    private partial void LogFault(Exception exception);
}
