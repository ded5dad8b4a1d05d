using System.Text.Json.Serialization;
using Dcr.AccessTokens;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Bulk;

/// <summary>
/// POST /admin/v1/clients:reap: does now, or with <c>dry_run</c> only counts, what <see cref="ClientReaper"/> does anyway.
/// </summary>
internal static class ReapClientsRoute
{
    public static async Task<IResult> HandleAsync(
        AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadAsync(request, BulkJson.Default.ReapRequest, cancellationToken);
        if (!body.IsSuccess)
        {
            return new OAuthErrorResult(body.Error with { Code = "invalid_request" });
        }
        var reaped = await mediator.Send(new ReapClients(body.Value.DryRun, body.Value.All, caller), cancellationToken);
        return reaped.IsSuccess ? TypedResults.Json(reaped.Value, BulkJson.Default.ReapedClients) : new OAuthErrorResult(reaped.Error);
    }
}

/// <param name="DryRun">True: only count. Default false.</param>
/// <param name="All">True: however many they are, and whether or not the clock is believed; an administrator has looked. Default
/// false.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ReapRequest(
    [property: JsonPropertyName("dry_run")] bool DryRun = false, [property: JsonPropertyName("all")] bool All = false);

/// <param name="Expired">Clients whose time was over, or that were not used for too long.</param>
/// <param name="Removed">Clients that had been expired for 30 days.</param>
/// <param name="Done">False: there are more; say it again.</param>
/// <param name="Withheld">Why no more are ended unless <c>all</c> is given. Absent: none are withheld.</param>
public sealed record ReapedClients(
    [property: JsonPropertyName("expired")] long Expired,
    [property: JsonPropertyName("removed")] long Removed,
    [property: JsonPropertyName("done")] bool Done,
    [property: JsonPropertyName("withheld")] string? Withheld = null);

internal sealed record ReapClients(bool DryRun, bool All, AccessTokenCaller Caller) : IRequest<Result<ReapedClients>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class ReapClientsHandler(ExpiredClients expired) : IRequestHandler<ReapClients, Result<ReapedClients>>
{
    public async Task<Result<ReapedClients>> Handle(ReapClients request, CancellationToken cancellationToken) =>
        await expired.EndAsync(request.DryRun, request.All, before: 0, cancellationToken);
}
