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
    public static async Task<IResult> HandleAsync(ManagingClient caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        if (!EntityTag.Matches(request.Headers, caller.Client.Version))
        {
            return new OAuthErrorResult(OAuthError.PreconditionFailed("If-Match does not name the client's current version. Read it again."));
        }
        var deleted = await mediator.Send(new DeleteClient(caller.Client), cancellationToken);
        return deleted.IsSuccess ? TypedResults.NoContent() : new OAuthErrorResult(deleted.Error);
    }
}

/// <param name="Client">At the version the request is judged against.</param>
internal sealed record DeleteClient(Client Client) : IRequest<Result<Unit>>;

internal sealed partial class DeleteClientHandler(IClientStore clients, AuditRecords records, ILogger<DeleteClientHandler> logger)
    : IRequestHandler<DeleteClient, Result<Unit>>
{
    public async Task<Result<Unit>> Handle(DeleteClient request, CancellationToken cancellationToken)
    {
        var client = request.Client;
        var record = records.Create(AuditActions.ClientDeleted, client.ClientId, new AuditActor(client.ClientId, Kid: null)) with
        {
            Changes = MetadataChanges.Between(client.Metadata, null),
        };
        switch (await clients.DeleteAsync(client.ClientId, client.Version, record, cancellationToken))
        {
            case ReplaceOutcome.VersionConflict:
                return OAuthError.Conflict("The client was changed meanwhile; it was not deleted. Try again.");
            case ReplaceOutcome.Gone:
                // Deleted by a parallel request: what was asked for is done.
                return Unit.Value;
            default:
                LogDeleted(client.ClientId);
                return Unit.Value;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Client {ClientId} deleted itself")]
    private partial void LogDeleted(Printed clientId);
}
