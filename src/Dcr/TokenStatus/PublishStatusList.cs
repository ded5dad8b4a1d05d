using System.Globalization;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;

namespace Dcr.TokenStatus;

/// <summary>
/// GET /oauth/status/{list}: a Status List Token (draft-ietf-oauth-status-list-21 section 5.1). An API that fetches it every n seconds
/// stops a revoked client within n seconds, without a call for each request. The answer is as new as the store; caches may keep it for its
/// ttl.
/// </summary>
internal static class PublishStatusListRoute
{
    public const string MediaType = "application/statuslist+jwt";

    public static async Task<IResult> HandleAsync(
        string list, HttpRequest request, IMediator mediator, IOptions<TokenStatusOptions> options, CancellationToken cancellationToken)
    {
        if (!int.TryParse(list, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || await mediator.Send(new PublishStatusList(number), cancellationToken) is not { } published)
        {
            return new OAuthErrorResult(OAuthError.NotFound("There is no such status list."));
        }
        var headers = request.HttpContext.Response.Headers;
        headers.CacheControl = string.Create(CultureInfo.InvariantCulture, $"public, max-age={options.Value.Ttl.TotalSeconds:0}");
        headers.Pragma = default;
        return TypedResults.Bytes(published.Token, MediaType, entityTag: new EntityTagHeaderValue(published.EntityTag));
    }
}

internal sealed record PublishStatusList(int List) : IRequest<PublishedStatusList?>;

internal sealed class PublishStatusListHandler(StatusListTokens lists) : IRequestHandler<PublishStatusList, PublishedStatusList?>
{
    public Task<PublishedStatusList?> Handle(PublishStatusList request, CancellationToken cancellationToken) =>
        lists.FindAsync(request.List, cancellationToken);
}
