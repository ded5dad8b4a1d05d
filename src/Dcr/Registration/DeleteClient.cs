using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dcr.Registration;

/// <summary>DELETE /oauth/register/{client_id}: client delete request (RFC 7592 section 2.3).</summary>
internal static class DeleteClientRoute
{
    public static async Task<IResult> HandleAsync(
        ManagingClient caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var deleted = await mediator.Send(new DeleteClient(caller, EntityTag.Condition(request.Headers)), cancellationToken);
        return deleted.IsSuccess ? TypedResults.NoContent() : new OAuthErrorResult(deleted.Error);
    }
}

/// <param name="Caller">The client.</param>
/// <param name="Condition">Which versions it may be at.</param>
internal sealed record DeleteClient(ManagingClient Caller, Func<long, bool> Condition) : IRequest<Result<Unit>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed partial class DeleteClientHandler(IClientStore clients, AuditRecords records, ILogger<DeleteClientHandler> logger)
    : IRequestHandler<DeleteClient, Result<Unit>>
{
    public async Task<Result<Unit>> Handle(DeleteClient request, CancellationToken cancellationToken)
    {
        var client = request.Caller.Client;
        if (!request.Condition(client.Version))
        {
            return OAuthError.PreconditionFailed("If-Match does not name the client's current version. Read it again.");
        }
        var grounds = new Grounds { Clients = [request.Caller.Ground] };
        var record = records.Create(AuditActions.ClientDeleted, client.ClientId, new AuditActor(client.ClientId, Kid: null)) with
        {
            Changes = MetadataChanges.Between(client.Metadata, null),
        };
        switch (await clients.DeleteAsync(client.ClientId, client.Version, record, grounds, cancellationToken))
        {
            case ReplaceOutcome.GroundsChanged:
                return OAuthError.GroundsChanged;
            case ReplaceOutcome.VersionConflict:
                return await request.Caller.JudgeAsync(cancellationToken)
                    ?? OAuthError.Conflict("The client was changed meanwhile; it was not deleted. Try again.");
            case ReplaceOutcome.Gone:
                // Deleted by a parallel request: what was asked for is done.
                return Unit.Value;
            default:
                LogDeleted(client.ClientId);
                return Unit.Value;
        }
    }

    [LoggerMessage(EventId = 1901, Level = LogLevel.Information, Message = "Client {ClientId} deleted itself")]
    private partial void LogDeleted(Printed clientId);
}
