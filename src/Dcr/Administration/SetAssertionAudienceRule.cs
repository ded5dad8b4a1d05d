using System.Text.Json.Serialization;
using Dcr.AccessTokens;
using Dcr.Auditing;
using Dcr.ClientAuthentication;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>
/// PUT /admin/v1/clients/{client_id}/assertion-audience: overrides the server's rule for one client. <c>dual</c> set
/// here also lets a client that was held to the issuer use the token endpoint again.
/// </summary>
internal static class SetAssertionAudienceRuleRoute
{
    public static async Task<IResult> HandleAsync(
        string client_id, AccessTokenCaller caller, HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadAsync(request, DcrJson.Default.AssertionAudienceSetting, cancellationToken);
        return body.IsSuccess
            ? AdminClientResult.Write(await mediator.Send(new SetAssertionAudienceRule(client_id, body.Value.Rule, caller), cancellationToken))
            : new OAuthErrorResult(body.Error with { Code = "invalid_request" });
    }
}

/// <param name="Rule"><c>dual</c>, <c>strict</c>, or null for the server's rule.</param>
public sealed record AssertionAudienceSetting([property: JsonPropertyName("rule")] AssertionAudienceRule? Rule);

internal sealed record SetAssertionAudienceRule(string ClientId, AssertionAudienceRule? Rule, AccessTokenCaller Caller) : IRequest<Result<AdminClient>>, IActsFor
{
    ICaller? IActsFor.Caller => Caller;
}

internal sealed class SetAssertionAudienceRuleHandler(ChangeClient change) : IRequestHandler<SetAssertionAudienceRule, Result<AdminClient>>
{
    public Task<Result<AdminClient>> Handle(SetAssertionAudienceRule request, CancellationToken cancellationToken) => change.ExecuteAsync(
        request.ClientId,
        client => client with { AssertionAudienceRule = request.Rule },
        AuditActions.AssertionAudienceRuleSet,
        (before, after) => ("assertion_audience_rule", new AuditChange(Name(before.AssertionAudienceRule), Name(after.AssertionAudienceRule))),
        request.Caller.Act,
        cancellationToken);

    private static string? Name(AssertionAudienceRule? rule) => rule is { } value ? WireEnum.NameOf(value) : null;
}
