using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>POST /admin/v1/clients/{client_id}/sign-out: ends every token the client has, at once; the client itself goes on and may ask for new ones.</summary>
internal static class SignClientOutRoute
{
    public static async Task<IResult> HandleAsync(string client_id, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken) =>
        AdminClientResult.Write(await mediator.Send(new SignClientOut(client_id, caller.Actor), cancellationToken));
}

internal sealed record SignClientOut(string ClientId, AuditActor Actor) : IRequest<Result<AdminClient>>;

internal sealed class SignClientOutHandler(IClientStore clients, AuditRecords records, TimeProvider time) : IRequestHandler<SignClientOut, Result<AdminClient>>
{
    private const int MaxAttempts = 20;

    public async Task<Result<AdminClient>> Handle(SignClientOut request, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await clients.FindAsync(request.ClientId, cancellationToken) is not { } client)
            {
                return AdminClientResult.NotFound;
            }
            var record = records.Create(AuditActions.ClientSignedOut, client.ClientId, request.Actor);
            if (await clients.SignOutAsync(client.ClientId, client.Version, record, cancellationToken) == ReplaceOutcome.Done)
            {
                return AdminClient.Of(client with { Version = client.Version + 1 }, time.GetUtcNow());
            }
        }
        return OAuthError.Conflict("The client is being changed by others without pause. Try again.");
    }
}
