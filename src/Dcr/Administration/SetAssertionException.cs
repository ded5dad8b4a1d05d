using System.Text.Json;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>
/// PUT /admin/v1/clients/{client_id}/assertion-exception: until a certain time the client's assertions may be addressed to URLs of this
/// server, or last longer, or both. It replaces the exception that is there.
/// </summary>
internal static class SetAssertionExceptionRoute
{
    public static async Task<IResult> HandleAsync(
        string client_id, AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadAsync(request, ClientsJson.Default.AssertionExceptionRule, cancellationToken);
        return body.IsSuccess
            ? AdminClientResult.Write(await mediator.Send(new SetAssertionException(client_id, body.Value, caller), cancellationToken))
            : new OAuthErrorResult(body.Error with { Code = "invalid_request" });
    }
}

internal sealed record SetAssertionException(string ClientId, AssertionExceptionRule Rule, AccessTokenCaller Caller)
    : IRequest<Result<AdminClient>>, IActsFor
{
    ICaller IActsFor.Caller => Caller;
}

internal sealed class SetAssertionExceptionHandler(ClientEditor change, SecurityProfileRules profile, TimeProvider time)
    : IRequestHandler<SetAssertionException, Result<AdminClient>>
{
    private const int LongestYears = 5;

    public async Task<Result<AdminClient>> Handle(SetAssertionException request, CancellationToken cancellationToken)
    {
        if (Fault(request.Rule) is { } fault)
        {
            return OAuthError.InvalidRequest(fault);
        }
        var rule = request.Rule with { Until = DateTimeOffset.FromUnixTimeMilliseconds(request.Rule.Until.ToUnixTimeMilliseconds()) };
        return await change.ExecuteAsync(
            request.ClientId,
            client => client with { AssertionException = rule },
            AuditActions.AssertionExceptionSet,
            Change,
            request.Caller.Act,
            cancellationToken).ShownAtAsync(time);
    }

    /// <summary>For the audit trail.</summary>
    public static (string Member, AuditChange Change) Change(Client before, Client after) =>
        ("assertion_exception", new AuditChange(Json(before.AssertionException), Json(after.AssertionException)));

    private static string? Json(AssertionExceptionRule? rule) =>
        rule is null ? null : JsonSerializer.Serialize(rule, ClientsJson.Default.AssertionExceptionRule);

    private string? Fault(AssertionExceptionRule rule)
    {
        if (!profile.TakesExceptions)
        {
            return "Dcr:SecurityProfile is Fapi2, which leaves no room for exceptions.";
        }
        if (rule is { Audience: null, MaxLifetimeSeconds: null })
        {
            return "At least one of audience and max_lifetime_seconds is needed.";
        }
        const int Least = AssertionExceptionRule.LeastLifetimeSeconds;
        const int Longest = AssertionExceptionRule.LongestLifetimeSeconds;
        if (rule.MaxLifetimeSeconds is < Least or > Longest)
        {
            return $"max_lifetime_seconds: must be from {Least} to {Longest}; every client may have "
                + $"{(int)profile.LongestAssertionLife.TotalSeconds}.";
        }
        var now = time.GetUtcNow();
        return rule.Until > now && rule.Until <= now.AddYears(LongestYears)
            ? null
            : $"until: must be in the future, and at most {LongestYears} years ahead.";
    }
}
