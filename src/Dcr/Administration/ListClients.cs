using Dcr.ClientAuthentication;
using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>GET /admin/v1/clients: newest first, by cursor; <c>?status=</c> and <c>?assertion_audience_seen=</c> restrict.</summary>
internal static class ListClientsRoute
{
    public static async Task<IResult> HandleAsync(HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var query = Read(request.Query);
        return query.IsSuccess
            ? TypedResults.Json(await mediator.Send(query.Value, cancellationToken), DcrJson.Default.PageAdminClient)
            : new OAuthErrorResult(query.Error);
    }

    private static Result<ListClients> Read(IQueryCollection query)
    {
        var limit = Paging.Limit(query);
        if (!limit.IsSuccess)
        {
            return limit.Error;
        }
        ClientCursor? after = null;
        if (query["cursor"].ToString() is { Length: > 0 } text && (after = ClientCursor.Parse(text)) is null)
        {
            return OAuthError.InvalidRequest("cursor must be the next of an earlier page.");
        }
        ClientStatus? status = null;
        if (query["status"].ToString() is { Length: > 0 } statusText && (status = WireEnum.Parse<ClientStatus>(statusText)) is null)
        {
            return OAuthError.InvalidRequest("status must be active, suspended or revoked.");
        }
        AssertionAudience? seen = null;
        if (query["assertion_audience_seen"].ToString() is { Length: > 0 } seenText && (seen = WireEnum.Parse<AssertionAudience>(seenText)) is null)
        {
            return OAuthError.InvalidRequest("assertion_audience_seen must be token_endpoint or issuer.");
        }
        return new ListClients(new ClientFilter { Status = status, AssertionAudienceSeen = seen }, after, limit.Value);
    }
}

internal sealed record ListClients(ClientFilter Filter, ClientCursor? After, int Limit) : IRequest<Page<AdminClient>>;

internal sealed class ListClientsHandler(IClientStore clients) : IRequestHandler<ListClients, Page<AdminClient>>
{
    public async Task<Page<AdminClient>> Handle(ListClients request, CancellationToken cancellationToken)
    {
        var found = await clients.ListAsync(request.Filter, request.After, request.Limit + 1, cancellationToken);
        return Paging.ToPage(found, request.Limit, AdminClient.Of, client => ClientCursor.Of(client).ToString());
    }
}
