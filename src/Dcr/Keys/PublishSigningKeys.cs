using System.Text.Json.Serialization;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Dcr.Keys;

/// <summary>GET /oauth/jwks: the server's own public keys (RFC 7517 section 5), for APIs that verify its tokens.</summary>
internal static class PublishSigningKeysRoute
{
    public static async Task<JsonHttpResult<PublicSigningKeySet>> HandleAsync(IMediator mediator, HttpResponse response, CancellationToken cancellationToken)
    {
        response.Headers.CacheControl = "public, max-age=300";
        return TypedResults.Json(await mediator.Send(new PublishSigningKeys(), cancellationToken), DcrJson.Default.PublicSigningKeySet);
    }
}

public sealed record PublishSigningKeys : IRequest<PublicSigningKeySet>;

public sealed record PublicSigningKeySet([property: JsonPropertyName("keys")] IReadOnlyList<PublicSigningKey> Keys);

internal sealed class PublishSigningKeysHandler(SigningKeys keys) : IRequestHandler<PublishSigningKeys, PublicSigningKeySet>
{
    public async Task<PublicSigningKeySet> Handle(PublishSigningKeys request, CancellationToken cancellationToken) =>
        new([.. (await keys.AllAsync(cancellationToken)).Select(key => key.ToPublic())]);
}
