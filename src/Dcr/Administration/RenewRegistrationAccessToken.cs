using System.Text.Json.Serialization;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>
/// POST /admin/v1/clients/{client_id}/registration-access-token: gives a registered client a new one, for one that has lost it or whose
/// token was ended by a sign-out. Every earlier one is dead at once. It is shown once: only its hash is kept.
/// </summary>
internal static class RenewRegistrationAccessTokenRoute
{
    public static async Task<IResult> HandleAsync(
        string client_id, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken)
    {
        var renewed = await mediator.Send(new RenewRegistrationAccessToken(client_id, caller), cancellationToken);
        return renewed.IsSuccess
            ? TypedResults.Json(renewed.Value, AdministrationJson.Default.NewRegistrationAccessToken)
            : new OAuthErrorResult(renewed.Error);
    }
}

/// <summary>What a client manages itself with (RFC 7592 section 3).</summary>
public sealed record NewRegistrationAccessToken
{
    [JsonPropertyName("client_id")]
    public required string ClientId { get; init; }

    [JsonPropertyName("registration_client_uri")]
    public required string RegistrationClientUri { get; init; }

    /// <summary>Shown this once.</summary>
    [JsonPropertyName("registration_access_token")]
    public required string RegistrationAccessToken { get; init; }
}

internal sealed record RenewRegistrationAccessToken(string ClientId, AccessTokenCaller Caller)
    : IRequest<Result<NewRegistrationAccessToken>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class RenewRegistrationAccessTokenHandler(ClientEditor change, IssuerUrls urls)
    : IRequestHandler<RenewRegistrationAccessToken, Result<NewRegistrationAccessToken>>
{
    public async Task<Result<NewRegistrationAccessToken>> Handle(RenewRegistrationAccessToken request, CancellationToken cancellationToken)
    {
        var token = OpaqueSecret.Create();
        var changed = await change.ExecuteAsync(
            request.ClientId,
            client => client switch
            {
                { Origin: null } => OAuthError.Conflict("Nobody registered this client, so it does not manage itself."),
                { Status: ClientStatus.Revoked } => OAuthError.Conflict("The client is revoked, which is permanent."),
                _ => client with { RegistrationAccess = new RegistrationAccess { TokenHash = OpaqueSecret.Hash(token) } },
            },
            AuditActions.RegistrationAccessTokenRenewed,
            (_, _) => ("registration_access_token", new AuditChange("replaced", "new")),
            request.Caller.Act,
            cancellationToken);
        return changed.IsSuccess
            ? new NewRegistrationAccessToken
            {
                ClientId = request.ClientId,
                RegistrationClientUri = urls.RegistrationClientUri(request.ClientId),
                RegistrationAccessToken = token,
            }
            : changed.Error;
    }
}
