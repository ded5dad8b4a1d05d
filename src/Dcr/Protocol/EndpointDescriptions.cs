using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Dcr.Protocol;

/// <summary>What the OpenAPI document says of a route beyond its path: its body, its answers, its refusals.</summary>
internal static class EndpointDescriptions
{
    /// <summary>A body of another type reaches the route as well, which says what it wants; the document leaves this out.</summary>
    public const string AnyOther = "*/*";

    public static RouteHandlerBuilder Is(this RouteHandlerBuilder route, string tag, string summary) =>
        route.WithTags(tag).WithSummary(summary);

    /// <summary>Who may call.</summary>
    public static TBuilder Needs<TBuilder>(this TBuilder route, NeededToken token)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(token);

    public static RouteHandlerBuilder GivesNothing(this RouteHandlerBuilder route) => route.Produces(StatusCodes.Status204NoContent);

    public static RouteHandlerBuilder TakesPage(this RouteHandlerBuilder route) => route.TakesQuery(
        ("limit", $"How many, 1 to {Paging.MaxLimit}; {Paging.DefaultLimit} when left out"), ("cursor", "The next of an earlier page"));

    public static RouteHandlerBuilder TakesForm<T>(this RouteHandlerBuilder route)
        where T : notnull =>
            route.Accepts<T>("application/x-www-form-urlencoded", AnyOther).Produces<OAuthErrorBody>(StatusCodes.Status408RequestTimeout);

    /// <summary>Success gives a <typeparamref name="T"/>.</summary>
    public static RouteHandlerBuilder Gives<T>(this RouteHandlerBuilder route, int status = StatusCodes.Status200OK) =>
        route.Produces<T>(status);

    /// <summary>Refusals, each an RFC 6749 section 5.2 error; every endpoint also knows 503, and each that wants a proof 429.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params int[] statuses)
    {
        int[] always = statuses.Contains(StatusCodes.Status401Unauthorized)
            ? [StatusCodes.Status429TooManyRequests, StatusCodes.Status503ServiceUnavailable]
            : [StatusCodes.Status503ServiceUnavailable];
        foreach (var status in statuses.Union(always))
        {
            route.Produces<OAuthErrorBody>(status);
        }
        return route;
    }

    /// <summary>Parameters that the route reads by itself; those of its path are known without.</summary>
    public static RouteHandlerBuilder TakesQuery(this RouteHandlerBuilder route, params (string Name, string Description)[] parameters)
    {
        foreach (var (name, description) in parameters)
        {
            route.WithMetadata(new RequestParameter(name, InHeader: false, description));
        }
        return route;
    }

    /// <summary>Query parameters that a route of the group does not describe are refused.</summary>
    public static RouteGroupBuilder TakesKnownQueryOnly(this RouteGroupBuilder group) => group
        .AddEndpointFilter<RouteGroupBuilder, KnownQueryOnly>()
        .WithMetadata(new ProducesResponseTypeMetadata(StatusCodes.Status400BadRequest, typeof(OAuthErrorBody), ["application/json"]));

    public static RouteHandlerBuilder TakesHeader(this RouteHandlerBuilder route, string name, string description) =>
        route.WithMetadata(new RequestParameter(name, InHeader: true, description));

    public static RouteHandlerBuilder TakesIfMatch(this RouteHandlerBuilder route) =>
        route.TakesHeader("If-Match", "The ETag of the version to change. Left out: whatever version there is.");

    public static RouteHandlerBuilder TakesJson<T>(this RouteHandlerBuilder route)
        where T : notnull => route.Accepts<T>("application/json", AnyOther).Produces<OAuthErrorBody>(StatusCodes.Status408RequestTimeout);
}

/// <summary>A query parameter or a header, for the OpenAPI document.</summary>
internal sealed record RequestParameter(string Name, bool InHeader, string Description);
