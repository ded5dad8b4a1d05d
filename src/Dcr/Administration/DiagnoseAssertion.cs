using System.Text.Json.Serialization;
using Dcr.ClientAuthentication;
using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Proofs;
using Dcr.Protocol;
using MediatR;
using Microsoft.AspNetCore.Http;

namespace Dcr.Administration;

/// <summary>
/// POST /admin/v1/diagnose: what the token endpoint would say of a client assertion, and why. Nothing is recorded and nothing
/// used up: an assertion that is accepted here is accepted there afterwards, once.
/// </summary>
internal static class DiagnoseAssertionRoute
{
    public static async Task<IResult> HandleAsync(HttpRequest request, IMediator mediator, CancellationToken cancellationToken)
    {
        var body = await JsonBody.ReadAsync(request, AdministrationJson.Default.AssertionToDiagnose, cancellationToken);
        if (!body.IsSuccess)
        {
            return new OAuthErrorResult(body.Error with { Code = "invalid_request" });
        }
        return TypedResults.Json(
            await mediator.Send(new DiagnoseAssertion(body.Value.ClientAssertion), cancellationToken),
            AdministrationJson.Default.AssertionDiagnosis);
    }
}

/// <param name="ClientAssertion">As the client sends it: a JWT in compact form. Whatever it is, it is judged.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AssertionToDiagnose([property: JsonPropertyName("client_assertion")] string ClientAssertion);

/// <summary>What became of a client assertion at this moment, on this node. Texts are printable ASCII, 4000 characters at most.</summary>
public sealed record AssertionDiagnosis
{
    /// <summary>
    /// True: the token endpoint would take it for the client. Whether it would then give a token also depends on scope, resource and DPoP
    /// proof.
    /// </summary>
    [JsonPropertyName("accepted")]
    public required bool Accepted { get; init; }

    /// <summary>The first rule that fails, 1 to 8. Absent: none.</summary>
    [JsonPropertyName("rule")]
    public int? Rule { get; init; }

    /// <summary>
    /// <c>shape</c>, <c>algorithm</c>, <c>client</c>, <c>key</c>, <c>signature</c>, <c>audience</c>, <c>times</c> or <c>single_use</c>.
    /// Absent: none fails.
    /// </summary>
    [JsonPropertyName("rule_name")]
    public string? RuleName { get; init; }

    /// <summary>Why, in full. Not for strangers. Absent: accepted.</summary>
    [JsonPropertyName("detail")]
    public string? Detail { get; init; }

    /// <summary>The error_description that the client gets, which tells less. Absent: accepted.</summary>
    [JsonPropertyName("told_client")]
    public string? ToldClient { get; init; }

    /// <summary>Absent: no client is named by sub, or sub cannot be read.</summary>
    [JsonPropertyName("client_id")]
    public string? ClientId { get; init; }

    /// <summary>Absent as <see cref="ClientId"/> is.</summary>
    [JsonPropertyName("client_status")]
    public ClientStatus? ClientStatus { get; init; }

    /// <summary>The key that verified the signature. Absent: none did, or it did not come to that (rules 1 to 5).</summary>
    [JsonPropertyName("key")]
    public VerifyingKey? Key { get; init; }

    /// <summary>
    /// All keys of the client and how fresh they are, as GET clients/{client_id}/keys lists them. Absent as <see cref="ClientId"/> is.
    /// </summary>
    [JsonPropertyName("keys")]
    public IReadOnlyList<AdminKey>? Keys { get; init; }

    /// <summary>What <c>aud</c> should be.</summary>
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    /// <summary>What <c>aud</c> may also be where the rule for the client is <c>dual</c>.</summary>
    [JsonPropertyName("token_endpoint")]
    public required string TokenEndpoint { get; init; }

    /// <summary>This server's clock, which <c>exp</c>, <c>iat</c> and <c>nbf</c> are compared with.</summary>
    [JsonPropertyName("server_time")]
    public required DateTimeOffset ServerTime { get; init; }
}

/// <param name="Kid">Null: the key has none.</param>
/// <param name="Thumbprint">RFC 7638, SHA-256, base64url.</param>
public sealed record VerifyingKey(
    [property: JsonPropertyName("kid")] string? Kid,
    [property: JsonPropertyName("thumbprint")] string Thumbprint);

internal sealed record DiagnoseAssertion(string Assertion) : IRequest<AssertionDiagnosis>;

internal sealed class DiagnoseAssertionHandler(
    ClientAssertionRules rules,
    IUsedJtiStore replays,
    IQuarantinedKeyStore quarantine,
    IClientStore clients,
    KeyDescription describe,
    IssuerUrls urls,
    TimeProvider time) : IRequestHandler<DiagnoseAssertion, AssertionDiagnosis>
{
    public async Task<AssertionDiagnosis> Handle(DiagnoseAssertion request, CancellationToken cancellationToken)
    {
        var verdict = await JudgeAsync(request.Assertion, cancellationToken);
        var refused = verdict as AssertionVerdict.Refused;
        var accepted = verdict as AssertionVerdict.Accepted;
        var client = accepted?.Client ?? refused?.Client ?? await FindNamedAsync(request.Assertion, cancellationToken);
        var key = accepted?.Key ?? refused?.Key;
        return new AssertionDiagnosis
        {
            Accepted = accepted is not null,
            Rule = (int?)refused?.Rule,
            RuleName = refused is null ? null : NameOf(refused.Rule),
            Detail = refused is null ? null : OAuthErrorResult.Printable(refused.Detail),
            ToldClient = refused is null ? null : OAuthErrorResult.Printable(refused.Description),
            ClientId = client?.ClientId,
            ClientStatus = client?.StatusAt(time.GetUtcNow()),
            Key = key is null ? null : new VerifyingKey(key.Kid, key.Thumbprint),
            Keys = client is null ? null : await describe.ExecuteAsync(client, cancellationToken),
            Issuer = urls.Issuer,
            TokenEndpoint = urls.TokenEndpoint,
            ServerTime = time.GetUtcNow(),
        };
    }

    private async Task<AssertionVerdict> JudgeAsync(string text, CancellationToken cancellationToken)
    {
        // RFC 6749 section 3.2: a parameter without a value counts as left out.
        var credentials = new SentCredentials
        {
            ClientAssertionType = ClientAssertionRules.AssertionType,
            ClientAssertion = text.Length > 0 ? text : null,
        };
        var verdict = await rules.CheckAsync(credentials, cancellationToken);
        if (verdict is AssertionVerdict.Accepted proved && await quarantine.HoldsAsync(proved.Key.Thumbprint, cancellationToken))
        {
            return ClientAssertionRules.InQuarantine(proved);
        }
        // Rule 8, without recording.
        return verdict is AssertionVerdict.Accepted accepted
            && await replays.IsUsedAsync(accepted.Client.ClientId, accepted.Jti, cancellationToken)
            ? ClientAssertionRules.AlreadyUsed(accepted)
            : verdict;
    }

    /// <summary>The client that <c>sub</c> names, where the rules did not come to look for it.</summary>
    private async Task<Client?> FindNamedAsync(string text, CancellationToken cancellationToken) =>
        SignedJwt.Parse(text, out _)?.Subject is { } subject ? await clients.FindAsync(subject, cancellationToken) : null;

    private static string NameOf(AssertionRule rule) => rule switch
    {
        AssertionRule.Shape => "shape",
        AssertionRule.Algorithm => "algorithm",
        AssertionRule.Client => "client",
        AssertionRule.Key => "key",
        AssertionRule.Signature => "signature",
        AssertionRule.Audience => "audience",
        AssertionRule.Times => "times",
        AssertionRule.SingleUse => "single_use",
        _ => throw new InvalidOperationException($"No rule of assertions: {rule}"),
    };
}
