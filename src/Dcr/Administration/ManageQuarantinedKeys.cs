using System.Buffers.Text;
using System.Text.Json.Serialization;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Keys;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>
/// GET, PUT and DELETE /admin/v1/quarantined-keys: keys that are refused on the whole server, on their next use on every node and whoever
/// registers them. A key of one client alone is blocked by <see cref="QuarantineKeyRoute"/>.
/// </summary>
internal static class ManageQuarantinedKeysRoute
{
    public static async Task<IResult> ListAsync(HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var limit = Paging.Limit(request.Query);
        if (!limit.IsSuccess)
        {
            return new OAuthErrorResult(limit.Error);
        }
        var cursor = request.Query["cursor"].ToString();
        return cursor.Length == 0 || ThumbprintText.IsWellFormed(cursor)
            ? TypedResults.Json(
                await mediator.Send(new ListQuarantinedKeys(cursor.Length > 0 ? cursor : null, limit.Value), cancellationToken),
                AdministrationJson.Default.PageAdminQuarantinedKey)
            : new OAuthErrorResult(OAuthError.InvalidRequest("cursor must be the next of an earlier page."));
    }

    public static async Task<IResult> ShowAsync(string thumbprint, IMediator mediator, CancellationToken cancellationToken) =>
        Write(await mediator.Send(new ShowQuarantinedKey(thumbprint), cancellationToken));

    public static async Task<IResult> AddAsync(
        string thumbprint, AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadAsync(request, AdministrationJson.Default.QuarantineReason, cancellationToken);
        return body.IsSuccess
            ? Write(await mediator.Send(new AddQuarantinedKey(thumbprint, body.Value.Reason, caller), cancellationToken))
            : new OAuthErrorResult(body.Error with { Code = "invalid_request" });
    }

    public static async Task<IResult> RemoveAsync(
        string thumbprint, AccessTokenCaller caller, IMediator mediator, CancellationToken cancellationToken)
    {
        var removed = await mediator.Send(new RemoveQuarantinedKey(thumbprint, caller), cancellationToken);
        return removed.IsSuccess ? TypedResults.NoContent() : new OAuthErrorResult(removed.Error);
    }

    private static IResult Write(Result<AdminQuarantinedKey> key) =>
        key.IsSuccess ? TypedResults.Json(key.Value, AdministrationJson.Default.AdminQuarantinedKey) : new OAuthErrorResult(key.Error);
}

/// <param name="Reason">Why, for whoever finds the key refused: 1 to 256 characters.</param>
public sealed record QuarantineReason([property: JsonPropertyName("reason")] string Reason);

/// <summary>A key that is refused on the whole server.</summary>
/// <param name="Thumbprint">RFC 7638, SHA-256, base64url.</param>
/// <param name="Reason">As the administrator gave it.</param>
/// <param name="QuarantinedAt">Since when.</param>
/// <param name="QuarantinedBy">The client id of the administrator.</param>
public sealed record AdminQuarantinedKey(
    [property: JsonPropertyName("thumbprint")] string Thumbprint,
    [property: JsonPropertyName("reason")] string Reason,
    [property: JsonPropertyName("quarantined_at")] DateTimeOffset QuarantinedAt,
    [property: JsonPropertyName("quarantined_by")] string QuarantinedBy)
{
    internal static AdminQuarantinedKey Of(QuarantinedKey key) => new(key.Thumbprint, key.Reason, key.QuarantinedAt, key.QuarantinedBy);
}

internal sealed record ListQuarantinedKeys(string? After, int Limit) : IRequest<Page<AdminQuarantinedKey>>;

internal sealed record ShowQuarantinedKey(string Thumbprint) : IRequest<Result<AdminQuarantinedKey>>;

internal sealed record AddQuarantinedKey(string Thumbprint, string Reason, AccessTokenCaller Caller)
    : IRequest<Result<AdminQuarantinedKey>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed record RemoveQuarantinedKey(string Thumbprint, AccessTokenCaller Caller) : IRequest<Result<Unit>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class ManageQuarantinedKeysHandler(IQuarantinedKeyStore store, AuditRecords records, TimeProvider time)
    : IRequestHandler<ListQuarantinedKeys, Page<AdminQuarantinedKey>>,
        IRequestHandler<ShowQuarantinedKey, Result<AdminQuarantinedKey>>,
        IRequestHandler<AddQuarantinedKey, Result<AdminQuarantinedKey>>,
        IRequestHandler<RemoveQuarantinedKey, Result<Unit>>
{
    private const int MaxReason = 256;

    private static readonly OAuthError s_notFound = OAuthError.NotFound(
        "No key with this thumbprint is in quarantine on the whole server.");

    public async Task<Page<AdminQuarantinedKey>> Handle(ListQuarantinedKeys request, CancellationToken cancellationToken)
    {
        var found = await store.ListAsync(request.After, request.Limit + 1, cancellationToken);
        return Paging.ToPage(found, request.Limit, AdminQuarantinedKey.Of, key => key.Thumbprint);
    }

    public async Task<Result<AdminQuarantinedKey>> Handle(ShowQuarantinedKey request, CancellationToken cancellationToken) =>
        await store.FindAsync(request.Thumbprint, cancellationToken) is { } key ? AdminQuarantinedKey.Of(key) : s_notFound;

    public async Task<Result<AdminQuarantinedKey>> Handle(AddQuarantinedKey request, CancellationToken cancellationToken)
    {
        if (!ThumbprintText.IsWellFormed(request.Thumbprint))
        {
            return ThumbprintText.Malformed;
        }
        if (request.Reason.Length is 0 or > MaxReason || request.Reason.Any(char.IsControl))
        {
            return OAuthError.InvalidRequest($"reason: must be 1 to {MaxReason} characters, without control characters.");
        }
        var key = new QuarantinedKey(request.Thumbprint, request.Reason, time.GetUtcNowAsStored(), request.Caller.Client.ClientId);
        var record = records.Create(
            AuditActions.QuarantinedKeyAdded, key.Thumbprint, request.Caller.Actor) with
        { Changes = Changes(null, key.Reason) };
        return await store.AddAsync(key, record, request.Caller.Grounds, cancellationToken) switch
        {
            QuarantineOutcome.GroundsChanged => OAuthError.GroundsChanged,
            // Whoever asks again is told how it stands.
            QuarantineOutcome.AsItWas => AdminQuarantinedKey.Of(await store.FindAsync(key.Thumbprint, cancellationToken) ?? key),
            _ => AdminQuarantinedKey.Of(key),
        };
    }

    public async Task<Result<Unit>> Handle(RemoveQuarantinedKey request, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(request.Thumbprint, cancellationToken) is not { } key)
        {
            return s_notFound;
        }
        var record = records.Create(
            AuditActions.QuarantinedKeyRemoved, key.Thumbprint, request.Caller.Actor) with
        { Changes = Changes(key.Reason, null) };
        return await store.RemoveAsync(key.Thumbprint, record, request.Caller.Grounds, cancellationToken) switch
        {
            QuarantineOutcome.GroundsChanged => OAuthError.GroundsChanged,
            QuarantineOutcome.AsItWas => s_notFound,
            _ => Unit.Value,
        };
    }

    private static Dictionary<string, AuditChange> Changes(string? before, string? after) =>
        new() { ["reason"] = new AuditChange(before, after) };
}

/// <summary>RFC 7638 with SHA-256, base64url.</summary>
internal static class ThumbprintText
{
    private const int Length = 43;

    public static readonly OAuthError Malformed = OAuthError.InvalidRequest(
        "The thumbprint must be an RFC 7638 SHA-256 thumbprint, 43 characters of base64url.");

    public static bool IsWellFormed(string text) => text.Length == Length && Base64Url.IsValid(text);
}
