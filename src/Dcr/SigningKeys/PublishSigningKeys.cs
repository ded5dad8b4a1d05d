using System.Text.Json.Serialization;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.SigningKeys;

/// <summary>GET /oauth/jwks: the server's own public keys (RFC 7517 section 5), for APIs that verify its tokens.</summary>
internal static class PublishSigningKeysRoute
{
    public static async Task<IResult> HandleAsync(
        IMediator mediator, HttpRequest request, HttpResponse response, CancellationToken cancellationToken)
    {
        var keys = await mediator.Send(new PublishSigningKeys(), cancellationToken);
        response.Headers.CacheControl = $"public, max-age={(int)SigningKeyRing.PublicationAge.TotalSeconds}";
        response.Headers.Pragma = default;
        response.Headers.ETag = EntityTag.Of(keys.Keys.Select(key => key.Kid));
        return request.Headers.IfNoneMatch == response.Headers.ETag
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Json(keys, SigningKeysJson.Default.PublicSigningKeySet);
    }
}

internal sealed record PublishSigningKeys : IRequest<PublicSigningKeySet>;

public sealed record PublicSigningKeySet([property: JsonPropertyName("keys")] IReadOnlyList<PublicSigningKey> Keys);

internal sealed class PublishSigningKeysHandler(ServerKeys keys, TimeProvider time)
    : IRequestHandler<PublishSigningKeys, PublicSigningKeySet>
{
    public async Task<PublicSigningKeySet> Handle(PublishSigningKeys request, CancellationToken cancellationToken) =>
        new([.. (await keys.RingAsync(cancellationToken)).Published(time.GetUtcNow()).Select(key => key.Key.ToPublic())]);
}
