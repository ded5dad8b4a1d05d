using System.Text.Json.Serialization;
using Dcr.AccessTokens;
using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Bulk;

/// <summary>
/// POST /admin/v1/clients:revoke, clients:suspend and clients:resume: everything that came from one origin, and nothing else; with
/// <c>dry_run</c> it is only counted. A small operation is done when the answer comes; a large one goes on, on any node and
/// past a crash, and GET /admin/v1/operations/{id} tells how far it has come.
/// </summary>
internal static class RevokeClientsRoute
{
    public static Task<IResult> RevokeAsync(
        AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken) =>
        HandleAsync(ClientStatus.Revoked, caller, request, mediator, cancellationToken);

    public static Task<IResult> SuspendAsync(
        AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken) =>
        HandleAsync(ClientStatus.Suspended, caller, request, mediator, cancellationToken);

    public static Task<IResult> ResumeAsync(
        AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken) =>
        HandleAsync(ClientStatus.Active, caller, request, mediator, cancellationToken);

    public static async Task<IResult> ShowAsync(string operation_id, IMediator mediator, CancellationToken cancellationToken)
    {
        var operation = await mediator.Send(new ShowOperation(operation_id), cancellationToken);
        return operation.IsSuccess
            ? TypedResults.Json(operation.Value, BulkJson.Default.AdminOperation)
            : new OAuthErrorResult(operation.Error);
    }

    private static async Task<IResult> HandleAsync(
        ClientStatus becomes, AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadAsync(request, BulkJson.Default.ClientsOfOrigin, cancellationToken);
        if (!body.IsSuccess)
        {
            return new OAuthErrorResult(body.Error with { Code = "invalid_request" });
        }
        var operation = await mediator.Send(new RevokeClients(becomes, body.Value.Origin, body.Value.DryRun, caller), cancellationToken);
        return operation.IsSuccess
            ? TypedResults.Json(operation.Value, BulkJson.Default.AdminOperation)
            : new OAuthErrorResult(operation.Error);
    }
}

/// <param name="Origin">At least one member; clients match all of them.</param>
/// <param name="DryRun">True: only count. Default false.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ClientsOfOrigin(
    [property: JsonPropertyName("origin")] OriginFilter Origin,
    [property: JsonPropertyName("dry_run")] bool DryRun = false);

/// <summary>How far an operation on many clients has come.</summary>
public sealed record AdminOperation
{
    [JsonPropertyName("operation")]
    public required string Operation { get; init; }

    /// <summary>
    /// How many clients it concerned when it began: those of the origin that were not revoked (or suspended) already, or those that were
    /// suspended or expired.
    /// </summary>
    [JsonPropertyName("matched")]
    public required long Matched { get; init; }

    /// <summary>How many have been revoked. Absent: the operation does something else.</summary>
    [JsonPropertyName("revoked")]
    public long? Revoked { get; init; }

    /// <summary>How many have been suspended. Absent: the operation does something else.</summary>
    [JsonPropertyName("suspended")]
    public long? Suspended { get; init; }

    /// <summary>
    /// How many go on. Fewer than matched when it is done: others have resumed or ended them, or there was no room for more. Absent: the
    /// operation does something else.
    /// </summary>
    [JsonPropertyName("resumed")]
    public long? Resumed { get; init; }

    [JsonPropertyName("done")]
    public required bool Done { get; init; }

    [JsonPropertyName("dry_run")]
    public required bool DryRun { get; init; }

    [JsonPropertyName("started_at")]
    public required DateTimeOffset StartedAt { get; init; }

    internal static AdminOperation Of(ClientOperation operation) => new()
    {
        Operation = operation.Id,
        Matched = operation.Matched,
        Revoked = operation.Becomes == ClientStatus.Revoked ? operation.Changed : null,
        Suspended = operation.Becomes == ClientStatus.Suspended ? operation.Changed : null,
        Resumed = operation.Becomes == ClientStatus.Active ? operation.Changed : null,
        Done = operation.Done,
        DryRun = operation.DryRun,
        StartedAt = operation.StartedAt,
    };
}

internal sealed record RevokeClients(ClientStatus Becomes, OriginFilter Origin, bool DryRun, AccessTokenCaller Caller)
    : IRequest<Result<AdminOperation>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed record ShowOperation(string Id) : IRequest<Result<AdminOperation>>;

internal sealed class RevokeClientsHandler(ClientOperationRunner run, IClientOperationStore operations)
    : IRequestHandler<RevokeClients, Result<AdminOperation>>, IRequestHandler<ShowOperation, Result<AdminOperation>>
{
    public async Task<Result<AdminOperation>> Handle(RevokeClients request, CancellationToken cancellationToken)
    {
        if (request.Origin.IsEmpty)
        {
            return OAuthError.InvalidRequest(
                "origin: needs at least one of onboarding_client, kid, thumbprint, initial_token_jti, software_statement_issuer, "
                    + "software_id.");
        }
        var operation = await run.StartAsync(
            request.Becomes, request.Origin, unlessRestingOn: null, request.DryRun, request.Caller.Act, cancellationToken);
        return operation is null ? OAuthError.GroundsChanged : AdminOperation.Of(operation);
    }

    public async Task<Result<AdminOperation>> Handle(ShowOperation request, CancellationToken cancellationToken) =>
        await operations.FindAsync(request.Id, cancellationToken) is { } operation
            ? AdminOperation.Of(operation)
            : OAuthError.NotFound("There is no operation with this id.");
}
