using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>
/// POST /admin/v1/clients/{client_id}/suspend, resume and revoke. In force on the client's next request on every
/// node: no node caches a status. A client that had expired begins a new life when it is resumed, if there is room for it.
/// </summary>
internal static class ChangeClientStatusRoute
{
    public static Task<IResult> SuspendAsync(
        string client_id, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken) =>
        HandleAsync(new ChangeClientStatus(client_id, ClientStatus.Suspended, caller), mediator, cancellationToken);

    public static Task<IResult> ResumeAsync(
        string client_id, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken) =>
        HandleAsync(new ChangeClientStatus(client_id, ClientStatus.Active, caller), mediator, cancellationToken);

    public static Task<IResult> RevokeAsync(
        string client_id, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken) =>
        HandleAsync(new ChangeClientStatus(client_id, ClientStatus.Revoked, caller), mediator, cancellationToken);

    private static async Task<IResult> HandleAsync(ChangeClientStatus command, IMediator mediator, CancellationToken cancellationToken) =>
        AdminClientResult.Write(await mediator.Send(command, cancellationToken));
}

internal sealed record ChangeClientStatus(string ClientId, ClientStatus Status, AccessTokenCaller Caller)
    : IRequest<Result<AdminClient>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class ChangeClientStatusHandler(ClientEditor change, TimeProvider time)
    : IRequestHandler<ChangeClientStatus, Result<AdminClient>>
{
    public async Task<Result<AdminClient>> Handle(ChangeClientStatus request, CancellationToken cancellationToken)
    {
        if (request.ClientId == request.Caller.Client.ClientId && request.Status != ClientStatus.Active)
        {
            return OAuthError.Conflict("An administrator cannot stop itself; let another one do it.");
        }
        return await change.ExecuteAsync(
            request.ClientId,
            client => StatusChange.Decide(client, request.Status, time.GetUtcNow()),
            ActionOf(request.Status),
            StatusChange.Describe,
            request.Caller.Act,
            cancellationToken).ShownAtAsync(time);
    }

    private static string ActionOf(ClientStatus status) => status switch
    {
        ClientStatus.Active => AuditActions.ClientResumed,
        ClientStatus.Suspended => AuditActions.ClientSuspended,
        ClientStatus.Revoked => AuditActions.ClientRevoked,
        _ => throw new ArgumentOutOfRangeException(nameof(status), status, "No status an administrator sets."),
    };
}
