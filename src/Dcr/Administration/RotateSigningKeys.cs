using System.Text.Json.Serialization;
using Dcr.AccessTokens;
using Dcr.Protocol;
using Dcr.SigningKeys;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>GET /admin/v1/signing-keys and POST /admin/v1/signing-keys/rotate.</summary>
internal static class RotateSigningKeysRoute
{
    public static async Task<IResult> ListAsync(IMediator mediator, CancellationToken cancellationToken) =>
        TypedResults.Json(await mediator.Send(new ListSigningKeys(), cancellationToken), AdministrationJson.Default.PageAdminSigningKey);

    public static async Task<IResult> HandleAsync(
        AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var wish = await JsonBody.ReadAsync(request, AdministrationJson.Default.SigningKeyRotation, cancellationToken);
        if (!wish.IsSuccess)
        {
            return new OAuthErrorResult(wish.Error with { Code = "invalid_request" });
        }
        var made = await mediator.Send(new RotateSigningKeys(wish.Value.Emergency, caller), cancellationToken);
        return made.IsSuccess
            ? TypedResults.Json(made.Value, AdministrationJson.Default.AdminSigningKey)
            : new OAuthErrorResult(made.Error);
    }
}

/// <param name="Emergency">True: the new key signs at once, and no key before it is trusted any more; tokens signed with them are
/// refused.</param>
public sealed record SigningKeyRotation([property: JsonPropertyName("emergency")] bool Emergency = false);

/// <summary>One of the server's own keys.</summary>
public sealed record AdminSigningKey
{
    [JsonPropertyName("kid")]
    public required string Kid { get; init; }

    [JsonPropertyName("alg")]
    public required string Alg { get; init; }

    [JsonPropertyName("state")]
    public required SigningKeyState State { get; init; }

    [JsonPropertyName("activates_at")]
    public required DateTimeOffset ActivatesAt { get; init; }

    /// <summary>When it is published no longer. Absent: nothing follows it yet.</summary>
    [JsonPropertyName("retires_at")]
    public DateTimeOffset? RetiresAt { get; init; }

    internal static AdminSigningKey Of(SigningKeyRing ring, RingKey key, DateTimeOffset now) => new()
    {
        Kid = key.Stored.Kid,
        Alg = key.Stored.Alg,
        State = ring.StateOf(key, now),
        ActivatesAt = key.Stored.ActivatesAt,
        RetiresAt = ring.RetiresAt(key),
    };
}

internal sealed record ListSigningKeys : IRequest<Page<AdminSigningKey>>;

internal sealed class ListSigningKeysHandler(ServerKeys keys, TimeProvider time) : IRequestHandler<ListSigningKeys, Page<AdminSigningKey>>
{
    public async Task<Page<AdminSigningKey>> Handle(ListSigningKeys request, CancellationToken cancellationToken)
    {
        var ring = await keys.RingAsync(cancellationToken);
        return new Page<AdminSigningKey>([.. ring.All.Reverse().Select(key => AdminSigningKey.Of(ring, key, time.GetUtcNow()))], null);
    }
}

internal sealed record RotateSigningKeys(bool Emergency, AccessTokenCaller Caller) : IRequest<Result<AdminSigningKey>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class RotateSigningKeysHandler(ServerKeys keys, TimeProvider time)
    : IRequestHandler<RotateSigningKeys, Result<AdminSigningKey>>
{
    public async Task<Result<AdminSigningKey>> Handle(RotateSigningKeys request, CancellationToken cancellationToken)
    {
        var made = await keys.RotateAsync(request.Emergency, request.Caller.Act, cancellationToken);
        if (!made.IsSuccess)
        {
            return made.Error;
        }
        var ring = await keys.RingAsync(cancellationToken);
        return AdminSigningKey.Of(ring, ring.All.Single(key => key.Stored.Kid == made.Value.Stored.Kid), time.GetUtcNow());
    }
}
