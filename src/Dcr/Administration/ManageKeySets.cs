using System.Security.Cryptography;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Keys;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>POST, GET and DELETE /admin/v1/key-sets: key sets that the server hosts for clients without a URL.</summary>
internal static class ManageKeySetsRoute
{
    public static async Task<IResult> CreateAsync(AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken) =>
        Write(await mediator.Send(new CreateKeySet(caller), cancellationToken), StatusCodes.Status201Created);

    public static async Task<IResult> ListAsync(HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var limit = Paging.Limit(request.Query);
        if (!limit.IsSuccess)
        {
            return new OAuthErrorResult(limit.Error);
        }
        var cursor = Paging.IdCursor(request.Query);
        if (!cursor.IsSuccess)
        {
            return new OAuthErrorResult(cursor.Error);
        }
        var page = await mediator.Send(new ListKeySets(cursor.Value.Length > 0 ? cursor.Value : null, limit.Value), cancellationToken);
        return TypedResults.Json(page, AdministrationJson.Default.PageAdminKeySet);
    }

    public static async Task<IResult> ShowAsync(string key_set_id, IMediator mediator, CancellationToken cancellationToken) =>
        Write(await mediator.Send(new ShowKeySet(key_set_id), cancellationToken));

    public static async Task<IResult> DeleteAsync(
        string key_set_id, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken)
    {
        var deleted = await mediator.Send(new DeleteKeySet(key_set_id, caller), cancellationToken);
        return deleted.IsSuccess ? TypedResults.NoContent() : new OAuthErrorResult(deleted.Error);
    }

    private static IResult Write(Result<AdminKeySet> set, int status = StatusCodes.Status200OK) =>
        set.IsSuccess
            ? TypedResults.Json(set.Value, AdministrationJson.Default.AdminKeySet, statusCode: status)
            : new OAuthErrorResult(set.Error);
}

internal sealed record CreateKeySet(AccessTokenCaller Caller) : IRequest<Result<AdminKeySet>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class CreateKeySetHandler(IKeySetStore store, KeySetDescription describe, AuditRecords records, TimeProvider time)
    : IRequestHandler<CreateKeySet, Result<AdminKeySet>>
{
    public async Task<Result<AdminKeySet>> Handle(CreateKeySet request, CancellationToken cancellationToken)
    {
        var set = new HostedKeySet
        {
            Id = RandomNumberGenerator.GetHexString(32, lowercase: true),
            Version = 1,
            CreatedAt = time.GetUtcNowAsStored(),
        };
        var record = records.Create(AuditActions.KeySetCreated, set.Id, request.Caller.Actor);
        if (await store.AddAsync(set, record, request.Caller.Grounds, cancellationToken) == AddKeySetOutcome.GroundsChanged)
        {
            return OAuthError.GroundsChanged;
        }
        return await describe.ExecuteAsync(set, cancellationToken);
    }
}

internal sealed record ListKeySets(string? Before, int Limit) : IRequest<Page<AdminKeySet>>;

internal sealed class ListKeySetsHandler(IKeySetStore store, KeySetDescription describe) : IRequestHandler<ListKeySets, Page<AdminKeySet>>
{
    public async Task<Page<AdminKeySet>> Handle(ListKeySets request, CancellationToken cancellationToken)
    {
        var found = await store.ListAsync(request.Before, request.Limit + 1, cancellationToken);
        var described = new List<AdminKeySet>();
        foreach (var set in found.Take(request.Limit))
        {
            described.Add(await describe.ExecuteAsync(set, cancellationToken));
        }
        return new Page<AdminKeySet>(described, found.Count > request.Limit ? found[request.Limit - 1].Id : null);
    }
}

internal sealed record ShowKeySet(string Id) : IRequest<Result<AdminKeySet>>;

internal sealed class ShowKeySetHandler(IKeySetStore store, KeySetDescription describe) : IRequestHandler<ShowKeySet, Result<AdminKeySet>>
{
    public async Task<Result<AdminKeySet>> Handle(ShowKeySet request, CancellationToken cancellationToken) =>
        await store.FindAsync(request.Id, cancellationToken) is { } set
            ? await describe.ExecuteAsync(set, cancellationToken)
            : KeySetEditor.NoSuchSet;
}

internal sealed record DeleteKeySet(string Id, AccessTokenCaller Caller) : IRequest<Result<Unit>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class DeleteKeySetHandler(IKeySetStore store, AuditRecords records) : IRequestHandler<DeleteKeySet, Result<Unit>>
{
    public async Task<Result<Unit>> Handle(DeleteKeySet request, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(request.Id, cancellationToken) is not { } set)
        {
            return KeySetEditor.NoSuchSet;
        }
        var record = records.Create(AuditActions.KeySetDeleted, set.Id, request.Caller.Actor);
        return await store.DeleteAsync(set.Id, set.Version, record, request.Caller.Grounds, cancellationToken) switch
        {
            ReplaceOutcome.VersionConflict => OAuthError.Conflict("The key set was changed meanwhile; it was not deleted. Try again."),
            ReplaceOutcome.GroundsChanged => OAuthError.GroundsChanged,
            _ => Unit.Value,
        };
    }
}
