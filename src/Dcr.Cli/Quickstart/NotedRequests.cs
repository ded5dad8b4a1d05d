namespace Dcr.Cli;

/// <summary>Tells of each request once it is answered.</summary>
/// <param name="inner">Where requests go.</param>
/// <param name="note">The request and the status of its answer; null: there was none.</param>
internal sealed class NotedRequests(HttpMessageHandler inner, Action<HttpRequestMessage, int?> note) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        int? status = null;
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            status = (int)response.StatusCode;
            return response;
        }
        finally
        {
            note(request, status);
        }
    }
}
