using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Dcr.Protocol;

/// <summary>What the OpenAPI document says of a route beyond its path: its body, its answers, its refusals.</summary>
internal static class EndpointDescriptions
{
    /// <summary>Success gives a <typeparamref name="T"/>.</summary>
    public static RouteHandlerBuilder Gives<T>(this RouteHandlerBuilder route, int status = StatusCodes.Status200OK) => route.Produces<T>(status);

    /// <summary>Refusals, each an RFC 6749 section 5.2 error; every endpoint also knows 503.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params int[] statuses)
    {
        foreach (var status in statuses.Append(StatusCodes.Status503ServiceUnavailable))
        {
            route.Produces<OAuthErrorBody>(status);
        }
        return route;
    }

    public static RouteHandlerBuilder TakesJson<T>(this RouteHandlerBuilder route)
        where T : notnull => route.Accepts<T>("application/json");
}
