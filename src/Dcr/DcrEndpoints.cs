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
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr;

public static class DcrEndpoints
{
    // Stands for what is before a route: only when the endpoints are built it is known in which group of the host they are.
    private const string Here = "/~dcr";

    /// <summary>
    /// Maps every route of the server, beside those of the host, and changes nothing else of it. They are under the path of the issuer;
    /// a group of the host may be given whose prefix is that path.
    /// </summary>
    public static IEndpointRouteBuilder MapDcr(this IEndpointRouteBuilder host)
    {
        var path = host.ServiceProvider.GetRequiredService<IssuerUrls>().PathBase;
        var pipeline = host.ServiceProvider.GetRequiredService<DcrPipeline>();

        // RFC 8414 section 3: between host and path.
        var documents = host.MapGroup(Here);
        Place(documents, "", path);
        pipeline.Wrap(documents);
        documents.MapDiscovery(path);

        var server = host.MapGroup(Here);
        Place(server, path, path);
        server.MapHealth();
        var api = server.MapGroup("");
        pipeline.Wrap(api);
        api.MapKeys();

        var oauth = api.MapGroup("/oauth");
        oauth.MapSigningKeys();
        oauth.MapTokenStatus();
        oauth.MapAccessTokens();
        oauth.MapRegistration();

        var admin = api.MapGroup("/admin/v1").TakesKnownQueryOnly().Needs(NeededAccessTokens.Administrator);
        admin.MapBulk();
        admin.MapOnboarding();
        admin.MapAdministration();
        return host;
    }

    /// <summary>Whether the process is alive, and whether it can serve: the checks of this server, and none of the host's.</summary>
    public static void MapHealth(this IEndpointRouteBuilder host)
    {
        host.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        host.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = check => check.Tags.Contains(StoreHealth.Tag) });
    }

    private static void Place(IEndpointConventionBuilder group, string below, string path) => group.Finally(endpoint =>
    {
        if (endpoint is RouteEndpointBuilder { RoutePattern.RawText: { } text } route)
        {
            var here = text.IndexOf(Here, StringComparison.Ordinal);
            if (text[..here] is { Length: > 0 } prefix && prefix != path)
            {
                throw new InvalidOperationException(
                    $"MapDcr is called on a group with the prefix {prefix}, and the path of Dcr:Issuer is '{path}': they must be the "
                        + "same.");
            }
            route.RoutePattern = RoutePatternFactory.Parse(below + text[(here + Here.Length)..]);
            route.DisplayName = route.DisplayName?.Replace(text, route.RoutePattern.RawText, StringComparison.Ordinal);
        }
    });
}
