using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>
/// DELETE /admin/v1/clients/{client_id}/assertion-exception: the client's assertions are judged like all others, from the next one on.
/// Where there is no exception, nothing is done and nothing is wrong.
/// </summary>
internal static class RemoveAssertionExceptionRoute
{
    public static async Task<IResult> HandleAsync(
        string client_id, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken)
    {
        var removed = await mediator.Send(new RemoveAssertionException(client_id, caller), cancellationToken);
        return removed.IsSuccess ? TypedResults.NoContent() : new OAuthErrorResult(removed.Error);
    }
}

internal sealed record RemoveAssertionException(string ClientId, AccessTokenCaller Caller) : IRequest<Result<AdminClient>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class RemoveAssertionExceptionHandler(ClientEditor change, TimeProvider time)
    : IRequestHandler<RemoveAssertionException, Result<AdminClient>>
{
    public Task<Result<AdminClient>> Handle(RemoveAssertionException request, CancellationToken cancellationToken) => change.ExecuteAsync(
        request.ClientId,
        client => client with { AssertionException = null },
        AuditActions.AssertionExceptionRemoved,
        SetAssertionExceptionHandler.Change,
        request.Caller.Act,
        cancellationToken).ShownAtAsync(time);
}
