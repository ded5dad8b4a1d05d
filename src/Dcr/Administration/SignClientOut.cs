using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>
/// POST /admin/v1/clients/{client_id}/sign-out: ends every token the client has, at once, the registration access token too;
/// the client itself goes on and may ask for new access tokens, and an administrator gives it a new registration access token
/// (<see cref="RenewRegistrationAccessToken"/>).
/// </summary>
internal static class SignClientOutRoute
{
    public static async Task<IResult> HandleAsync(
        string client_id, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken) =>
        AdminClientResult.Write(await mediator.Send(new SignClientOut(client_id, caller), cancellationToken));
}

internal sealed record SignClientOut(string ClientId, AccessTokenCaller Caller) : IRequest<Result<AdminClient>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class SignClientOutHandler(IClientStore clients, AuditRecords records, TimeProvider time)
    : IRequestHandler<SignClientOut, Result<AdminClient>>
{
    private const int MaxAttempts = 20;

    public async Task<Result<AdminClient>> Handle(SignClientOut request, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await clients.FindAsync(request.ClientId, cancellationToken) is not { } client)
            {
                return ClientEditor.NotFound;
            }
            var record = records.Create(AuditActions.ClientSignedOut, client.ClientId, request.Caller.Actor);
            switch (await clients.SignOutAsync(client.ClientId, client.Version, record, request.Caller.Grounds, cancellationToken))
            {
                case ReplaceOutcome.Done:
                    return AdminClient.Of(client with { Version = client.Version + 1 }, time.GetUtcNow());
                case ReplaceOutcome.GroundsChanged:
                    return OAuthError.GroundsChanged;
                default:
                    break;
            }
        }
        return OAuthError.Conflict("The client is being changed by others without pause. Try again.");
    }
}
