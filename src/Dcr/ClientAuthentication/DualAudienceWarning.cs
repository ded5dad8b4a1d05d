using Dcr.Protocol;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dcr.ClientAuthentication;

/// <summary>
/// Says at every start that <c>Dcr:AssertionAudience</c> is <c>Dual</c>: it is for the time of a migration, and easily forgotten.
/// </summary>
internal sealed partial class DualAudienceWarning(IOptions<DcrOptions> options, ILogger<DualAudienceWarning> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.AssertionAudience == AssertionAudienceRule.Dual)
        {
            LogDual();
        }
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(
        EventId = 1601, Level = LogLevel.Warning,
        Message = "Dcr:AssertionAudience is Dual: assertions addressed to URLs of this server are accepted from every client, "
            + "which RFC 10070 forbids. GET /admin/v1/clients?assertion_exception=true lists who needs that; give each of them an "
                + "exception with an end, then set Strict")]
    private partial void LogDual();
}
