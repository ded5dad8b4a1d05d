using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dcr.Protocol;

/// <summary>GET /health/ready: the store is prepared and answers.</summary>
internal sealed class StoreHealth(IStoreLifecycle store, Readiness readiness) : IHealthCheck
{
    /// <summary>What every check of this server has: a host has others.</summary>
    public const string Tag = "dcr";

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!readiness.IsReady)
        {
            return HealthCheckResult.Unhealthy("The store is not prepared yet.");
        }
        try
        {
            await store.PingAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (StoreUnavailableException exception)
        {
            return HealthCheckResult.Unhealthy("The store is away.", exception);
        }
    }
}
