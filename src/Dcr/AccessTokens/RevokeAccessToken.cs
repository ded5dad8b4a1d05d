using Dcr.ClientAuthentication;
using Dcr.Proofs;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.AccessTokens;

/// <summary>POST /oauth/revoke: token revocation (RFC 7009) by the client that the token was issued to.</summary>
internal static class RevokeAccessTokenRoute
{
    public static async Task<IResult> HandleAsync(
        HttpRequest request, IMediator mediator, IssuerUrls urls, CancellationToken cancellationToken)
    {
        var form = await FormBody.ReadAsync(request, cancellationToken);
        if (!form.IsSuccess)
        {
            return new OAuthErrorResult(form.Error);
        }
        var command = new RevokeAccessToken(
            form.Value.GetValueOrDefault("token"), SentCredentials.Of(form.Value, request.Headers), SentProofs.Of(request, urls));
        var revoked = await mediator.Send(command, cancellationToken);
        return revoked.IsSuccess ? TypedResults.Ok() : ClientAuthenticationRefusal.ToResult(revoked.Error, urls, request);
    }
}

internal sealed record RevokeAccessToken(string? Token, SentCredentials Credentials, SentProofs Proofs) : IRequest<Result<Unit>>;

internal sealed class RevokeAccessTokenHandler(ClientAuthenticator authenticate, AccessTokenReader reader, IRevokedTokenStore revoked)
    : IRequestHandler<RevokeAccessToken, Result<Unit>>
{
    public async Task<Result<Unit>> Handle(RevokeAccessToken request, CancellationToken cancellationToken)
    {
        var authenticated = await authenticate.ExecuteAsync(request.Credentials, request.Proofs, cancellationToken);
        if (!authenticated.IsSuccess)
        {
            return authenticated.Error;
        }
        if (request.Token is not { } text)
        {
            return OAuthError.InvalidRequest("token is missing.");
        }
        var (token, _) = await reader.ReadAsync(text, cancellationToken);
        // RFC 7009 section 2.2: what is unknown or dead is revoked already; and nobody learns whose token it is.
        if (token is not null && token.ClientId == authenticated.Value.Client.ClientId)
        {
            await revoked.AddAsync(token.Jti, token.ExpiresAt, cancellationToken);
        }
        return Unit.Value;
    }
}
