using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>
/// POST /admin/v1/clients/{client_id}/allow-key-change: for a day the client may change its keys once without proving one it had,
/// for one that has lost them. It proves a new one instead.
/// </summary>
internal static class AllowKeyChangeRoute
{
    public static async Task<IResult> HandleAsync(
        string client_id, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken) =>
        AdminClientResult.Write(await mediator.Send(new AllowKeyChange(client_id, caller), cancellationToken));
}

internal sealed record AllowKeyChange(string ClientId, AccessTokenCaller Caller) : IRequest<Result<AdminClient>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class AllowKeyChangeHandler(ClientEditor change, TimeProvider time) : IRequestHandler<AllowKeyChange, Result<AdminClient>>
{
    public Task<Result<AdminClient>> Handle(AllowKeyChange request, CancellationToken cancellationToken) => change.ExecuteAsync(
        request.ClientId,
        client => client.RegistrationAccess is null
            ? OAuthError.Conflict("The client does not manage itself, so it changes no keys.")
            : client with { KeyChangeAllowedUntil = time.GetUtcNow() + Client.KeyChangeLeave },
        AuditActions.KeyChangeAllowed,
        (before, after) =>
            (
                "key_change_allowed_until",
                new AuditChange(before.KeyChangeAllowedUntil?.ToString("O"), after.KeyChangeAllowedUntil?.ToString("O"))),
        request.Caller.Act,
        cancellationToken).ShownAtAsync(time);
}
