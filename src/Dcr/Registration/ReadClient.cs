using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Registration;

/// <summary>GET /oauth/register/{client_id}: client read request (RFC 7592 section 2.1). Never rotates the token.</summary>
internal static class ReadClientRoute
{
    public static async Task<IResult> HandleAsync(
        ManagingClient caller, HttpResponse response, IMediator mediator, CancellationToken cancellationToken) =>
        ClientInformationResult.Ok(await mediator.Send(new ReadClient(caller), cancellationToken), response);
}

internal sealed record ReadClient(ManagingClient Caller) : IRequest<RegisteredClient>;

internal sealed class ReadClientHandler(IssuerUrls urls) : IRequestHandler<ReadClient, RegisteredClient>
{
    public Task<RegisteredClient> Handle(ReadClient request, CancellationToken cancellationToken)
    {
        var client = request.Caller.Client;
        // RFC 7592 section 3 wants the token in the answer; only its hash is stored, so it is the one presented.
        var information = ClientInformation.Of(client, urls.RegistrationClientUri(client.ClientId), request.Caller.PresentedToken);
        return Task.FromResult(new RegisteredClient(client.Version, information));
    }
}
