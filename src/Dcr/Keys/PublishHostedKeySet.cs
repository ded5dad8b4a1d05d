using Dcr.Jose;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Keys;

/// <summary>GET /keys/{key_set_id}/jwks.json: what a hosted key set publishes (RFC 7517 section 5).</summary>
internal static class PublishHostedKeySetRoute
{
    /// <summary>Seconds. Short: whoever reads the set elsewhere should see a withdrawal soon.</summary>
    private const int MaxAge = 60;

    public static async Task<IResult> HandleAsync(
        string key_set_id, HttpRequest request, HttpResponse response, IMediator mediator, CancellationToken cancellationToken)
    {
        if (await mediator.Send(new PublishHostedKeySet(key_set_id), cancellationToken) is not { } set)
        {
            return new OAuthErrorResult(OAuthError.NotFound("There is no key set with this id."));
        }
        response.Headers.CacheControl = $"public, max-age={MaxAge}";
        response.Headers.Pragma = default;
        response.Headers.ETag = EntityTag.Of(set.Keys.Select(key => key.GetRawText()));
        return request.Headers.IfNoneMatch == response.Headers.ETag
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Json(set, KeysJson.Default.JwkSet);
    }
}

internal sealed record PublishHostedKeySet(string Id) : IRequest<JwkSet?>;

internal sealed class PublishHostedKeySetHandler(IKeySetStore store, TimeProvider time) : IRequestHandler<PublishHostedKeySet, JwkSet?>
{
    public async Task<JwkSet?> Handle(PublishHostedKeySet request, CancellationToken cancellationToken) =>
        await store.FindAsync(request.Id, cancellationToken) is { } set
            ? new JwkSet { Keys = [.. set.Keys.Where(key => key.IsPublished(time.GetUtcNow())).Select(key => key.Jwk!.Value)] }
            : null;
}
