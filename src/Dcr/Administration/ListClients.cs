using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>GET /admin/v1/clients: newest first, by cursor; status, assertion_exception and the members of an origin restrict.</summary>
internal static class ListClientsRoute
{
    public static async Task<IResult> HandleAsync(HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var query = Read(request.Query);
        return query.IsSuccess
            ? TypedResults.Json(await mediator.Send(query.Value, cancellationToken), AdministrationJson.Default.PageAdminClient)
            : new OAuthErrorResult(query.Error);
    }

    private static Result<ListClients> Read(IQueryCollection query)
    {
        var place = ClientPage.Read(query);
        if (!place.IsSuccess)
        {
            return place.Error;
        }
        ClientStatus? status = null;
        if (query["status"].ToString() is { Length: > 0 } statusText && (status = WireEnum.Parse<ClientStatus>(statusText)) is null)
        {
            return OAuthError.InvalidRequest("status must be active, suspended, revoked or expired.");
        }
        const string Exception = "assertion_exception";
        var exception = QueryFlag.Read(query, Exception);
        if (!exception.IsSuccess)
        {
            return exception.Error;
        }
        var origin = ReadOrigin(query);
        return new ListClients(
            new ClientFilter
            {
                Status = status,
                AssertionException = query.ContainsKey(Exception) ? exception.Value : null,
                Origin = origin.IsEmpty ? null : origin,
            },
            place.Value);
    }

    private static OriginFilter ReadOrigin(IQueryCollection query)
    {
        string? Read(string name) => query[name].ToString() is { Length: > 0 } value ? value : null;
        return new OriginFilter
        {
            OnboardingClient = Read("onboarding_client"),
            Kid = Read("kid"),
            Thumbprint = Read("thumbprint"),
            InitialTokenJti = Read("initial_token_jti"),
            SoftwareStatementIssuer = Read("software_statement_issuer"),
            SoftwareId = Read("software_id"),
        };
    }
}

internal sealed record ListClients(ClientFilter Filter, ClientPage Place) : IRequest<Page<AdminClient>>;

internal sealed class ListClientsHandler(IClientStore clients, TimeProvider time) : IRequestHandler<ListClients, Page<AdminClient>>
{
    public async Task<Page<AdminClient>> Handle(ListClients request, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var found = await clients.ListAsync(request.Filter, request.Place.After, request.Place.Limit + 1, cancellationToken);
        return request.Place.ToPage(found, client => AdminClient.Of(client, now));
    }
}
