using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>
/// POST /admin/v1/clients/{client_id}/keys/{thumbprint}/quarantine and release: one key of one client, refused on its
/// next use on every node, whatever the client's URL serves. Tokens for this server that it was used for stop too; with the same write all
/// tokens for APIs that the client has, since nothing says which of them it was used for, unless <c>?end_tokens=false</c>.
/// </summary>
internal static class QuarantineKeyRoute
{
    public static async Task<IResult> QuarantineAsync(
        string client_id,
        string thumbprint,
        AccessTokenCaller caller,
        HttpRequest request,
        IMediator mediator,
        CancellationToken cancellationToken)
    {
        var endTokens = QueryFlag.Read(request.Query, "end_tokens", leftOut: true);
        return endTokens.IsSuccess
            ? await HandleAsync(
                new QuarantineKey(client_id, thumbprint, Quarantined: true, endTokens.Value, caller), mediator, cancellationToken)
            : new OAuthErrorResult(endTokens.Error);
    }

    public static Task<IResult> ReleaseAsync(
        string client_id, string thumbprint, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken) =>
        HandleAsync(new QuarantineKey(client_id, thumbprint, Quarantined: false, EndTokens: false, caller), mediator, cancellationToken);

    private static async Task<IResult> HandleAsync(QuarantineKey command, IMediator mediator, CancellationToken cancellationToken)
    {
        var key = await mediator.Send(command, cancellationToken);
        return key.IsSuccess ? TypedResults.Json(key.Value, AdministrationJson.Default.AdminKey) : new OAuthErrorResult(key.Error);
    }
}

internal sealed record QuarantineKey(string ClientId, string Thumbprint, bool Quarantined, bool EndTokens, AccessTokenCaller Caller)
    : IRequest<Result<AdminKey>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class QuarantineKeyHandler(ClientEditor change, IClientStore clients, KeyDescription describe)
    : IRequestHandler<QuarantineKey, Result<AdminKey>>
{
    private const int MaxQuarantined = 100;

    public async Task<Result<AdminKey>> Handle(QuarantineKey request, CancellationToken cancellationToken)
    {
        if (!ThumbprintText.IsWellFormed(request.Thumbprint))
        {
            return ThumbprintText.Malformed;
        }
        var changed = await change.ExecuteAsync(
            request.ClientId,
            client => Decide(client, request),
            request.Quarantined ? AuditActions.KeyQuarantined : AuditActions.KeyReleased,
            (_, _) => ("key", request.Quarantined ? new AuditChange(null, request.Thumbprint) : new AuditChange(request.Thumbprint, null)),
            request.Caller.Act,
            cancellationToken,
            request.EndTokens);
        if (!changed.IsSuccess || await clients.FindAsync(request.ClientId, cancellationToken) is not { } client)
        {
            return changed.Error ?? ClientEditor.NotFound;
        }
        var keys = await describe.ExecuteAsync(client, cancellationToken);
        return keys.FirstOrDefault(key => key.Thumbprint == request.Thumbprint)
            ?? new AdminKey { Thumbprint = request.Thumbprint, State = "active" };
    }

    private static Result<Client> Decide(Client client, QuarantineKey request)
    {
        if (client.QuarantinedKeys.Contains(request.Thumbprint) == request.Quarantined)
        {
            return client;
        }
        if (request.Quarantined && client.QuarantinedKeys.Count >= MaxQuarantined)
        {
            return OAuthError.Conflict($"The client has {MaxQuarantined} keys in quarantine already; revoke the client, or release some.");
        }
        return client with
        {
            QuarantinedKeys = request.Quarantined
                ? [.. client.QuarantinedKeys, request.Thumbprint]
                : [.. client.QuarantinedKeys.Where(thumbprint => thumbprint != request.Thumbprint)],
        };
    }
}
