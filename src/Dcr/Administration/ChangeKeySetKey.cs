using System.Text.Json;
using System.Text.Json.Serialization;
using Dcr.AccessTokens;
using Dcr.Keys;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>POST /admin/v1/key-sets/{key_set_id}/keys, and .../keys/{kid}/activate, retire and withdraw.</summary>
internal static class ChangeKeySetKeyRoute
{
    public static async Task<IResult> AddAsync(
        string key_set_id, AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var jwk = await JsonBody.ReadAsync(request, AdministrationJson.Default.JsonElement, cancellationToken);
        return jwk.IsSuccess
            ? Write(
                await mediator.Send(new AddKeySetKey(key_set_id, jwk.Value.Clone(), caller), cancellationToken),
                StatusCodes.Status201Created)
            : new OAuthErrorResult(jwk.Error);
    }

    public static async Task<IResult> ActivateAsync(
        string key_set_id, string kid, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken) =>
        Write(await mediator.Send(new ChangeKeySetKey(key_set_id, kid, HostedKeyState.Active, null, caller), cancellationToken));

    public static async Task<IResult> RetireAsync(
        string key_set_id,
        string kid,
        AccessTokenCaller caller,
        HttpRequest request,
        IMediator mediator,
        CancellationToken cancellationToken)
    {
        var end = await JsonBody.ReadAsync(request, AdministrationJson.Default.KeyRetirement, cancellationToken);
        return end.IsSuccess
            ? Write(
                await mediator.Send(
                    new ChangeKeySetKey(key_set_id, kid, HostedKeyState.Retiring, end.Value.Until, caller), cancellationToken))
            : new OAuthErrorResult(end.Error with { Code = "invalid_request" });
    }

    public static async Task<IResult> WithdrawAsync(
        string key_set_id, string kid, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken) =>
        Write(await mediator.Send(new ChangeKeySetKey(key_set_id, kid, HostedKeyState.Withdrawn, null, caller), cancellationToken));

    private static IResult Write(Result<AdminHostedKey> key, int status = StatusCodes.Status200OK) =>
        key.IsSuccess
            ? TypedResults.Json(key.Value, AdministrationJson.Default.AdminHostedKey, statusCode: status)
            : new OAuthErrorResult(key.Error);
}

/// <param name="Until">RFC 3339. The key is published and good until then.</param>
public sealed record KeyRetirement([property: JsonPropertyName("until")] DateTimeOffset Until);

internal sealed record AddKeySetKey(string Id, JsonElement Jwk, AccessTokenCaller Caller) : IRequest<Result<AdminHostedKey>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class AddKeySetKeyHandler(KeySetEditor change, KeySetDescription describe)
    : IRequestHandler<AddKeySetKey, Result<AdminHostedKey>>
{
    public async Task<Result<AdminHostedKey>> Handle(AddKeySetKey request, CancellationToken cancellationToken)
    {
        var changed = await change.AddAsync(request.Id, request.Jwk, request.Caller.Act, cancellationToken);
        return changed.IsSuccess ? (await describe.ExecuteAsync(changed.Value, cancellationToken)).Keys[^1] : changed.Error;
    }
}

internal sealed record ChangeKeySetKey(string Id, string Kid, HostedKeyState State, DateTimeOffset? Until, AccessTokenCaller Caller)
    : IRequest<Result<AdminHostedKey>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class ChangeKeySetKeyHandler(KeySetEditor change, KeySetDescription describe)
    : IRequestHandler<ChangeKeySetKey, Result<AdminHostedKey>>
{
    public async Task<Result<AdminHostedKey>> Handle(ChangeKeySetKey request, CancellationToken cancellationToken)
    {
        var changed = await change.MoveAsync(request.Id, request.Kid, request.State, request.Until, request.Caller.Act, cancellationToken);
        return changed.IsSuccess
            ? (await describe.ExecuteAsync(changed.Value, cancellationToken)).Keys.Single(key => key.Kid == request.Kid)
            : changed.Error;
    }
}
