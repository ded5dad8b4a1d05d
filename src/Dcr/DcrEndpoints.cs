using Dcr.AccessTokens;
using Dcr.Administration;
using Dcr.Bulk;
using Dcr.Discovery;
using Dcr.Keys;
using Dcr.Onboarding;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.SigningKeys;
using Dcr.TokenStatus;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr;

public static class DcrEndpoints
{
    /// <summary>Every route of the server. An issuer with a path has them under that path.</summary>
    public static void MapDcr(this IEndpointRouteBuilder host)
    {
        var path = host.ServiceProvider.GetRequiredService<IssuerUrls>().PathBase;
        host.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        host.MapHealthChecks("/health/ready");
        host.MapDiscovery(path);

        var server = host.MapGroup(path);
        server.MapKeys();

        var oauth = server.MapGroup("/oauth");
        oauth.MapSigningKeys();
        oauth.MapTokenStatus();
        oauth.MapAccessTokens();
        oauth.MapRegistration();

        var admin = server.MapGroup("/admin/v1").TakesKnownQueryOnly().RequireAuthorization(Policies.Administrator);
        admin.MapBulk();
        admin.MapOnboarding();
        admin.MapAdministration();
    }
}
