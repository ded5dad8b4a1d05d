using Dcr.Jose;
using Microsoft.AspNetCore.Http;

namespace Dcr.Protocol;

/// <summary>
/// Refuses a query parameter that the route does not describe (<see cref="EndpointDescriptions.TakesQuery"/>), or that is sent twice. A
/// filter with a typo would list everything, and a dry run asked for in the wrong place would be carried out.
/// </summary>
internal sealed class KnownQueryOnly : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (http.Request.Query.Count == 0)
        {
            return await next(context);
        }
        var described = http.GetEndpoint()!.Metadata.GetOrderedMetadata<RequestParameter>();
        List<string> known = [.. described.Where(parameter => !parameter.InHeader).Select(parameter => parameter.Name)];
        foreach (var (name, values) in http.Request.Query)
        {
            if (!known.Contains(name))
            {
                var taken = known.Count == 0 ? "none is taken" : $"there are {string.Join(", ", known)}";
                return Refuse($"{Shortened.Of(name)}: unknown query parameter; {taken}.");
            }
            if (values.Count > 1)
            {
                return Refuse($"{name}: send this query parameter once.");
            }
        }
        return await next(context);
    }

    private static OAuthErrorResult Refuse(string description) => new(OAuthError.InvalidRequest(description));
}
