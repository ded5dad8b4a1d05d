using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>GET /admin/v1/clients/{client_id}.</summary>
internal static class ShowClientRoute
{
    public static async Task<IResult> HandleAsync(string client_id, IMediator mediator, CancellationToken cancellationToken) =>
        AdminClientResult.Write(await mediator.Send(new ShowClient(client_id), cancellationToken));
}

internal sealed record ShowClient(string ClientId) : IRequest<Result<AdminClient>>;

internal sealed class ShowClientHandler(IClientStore clients, TimeProvider time) : IRequestHandler<ShowClient, Result<AdminClient>>
{
    public async Task<Result<AdminClient>> Handle(ShowClient request, CancellationToken cancellationToken) =>
        await clients.FindAsync(request.ClientId, cancellationToken) is { } client
            ? AdminClient.Of(client, time.GetUtcNow())
            : ClientEditor.NotFound;
}
