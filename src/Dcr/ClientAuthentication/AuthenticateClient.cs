using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Microsoft.Extensions.Logging;

namespace Dcr.ClientAuthentication;

/// <summary>A client that has proved itself, and the key it did it with.</summary>
internal sealed record AuthenticatedClient(Client Client, ClientKey Key);

/// <summary>
/// Authenticates a client by its assertion: rules 1 to 7 (<see cref="ClientAssertionRules"/>), then rule 8, the single
/// use, recorded last so that a refused assertion uses nothing up.
/// </summary>
internal sealed partial class AuthenticateClient(
    ClientAssertionRules rules,
    IAssertionReplayStore replays,
    IClientStore clients,
    RefusalAudit refusals,
    KeyUses uses,
    HostedKeySets hosted,
    ClientAuthenticationMetrics metrics,
    ILogger<AuthenticateClient> logger)
{
    public async Task<Result<AuthenticatedClient>> ExecuteAsync(ClientCredentials credentials, CancellationToken cancellationToken)
    {
        // RFC 6749 section 5.2: several mechanisms in one request are invalid_request, not invalid_client.
        if (credentials.ClientAssertion is not null && (credentials.HasSecret || credentials.HasAuthorizationHeader))
        {
            return OAuthError.InvalidRequest("Authenticate in one way only: client_assertion, without client_secret or an Authorization header.");
        }

        switch (await rules.CheckAsync(credentials, cancellationToken))
        {
            case AssertionVerdict.Refused refused:
                return await RefuseAsync(refused, cancellationToken);
            case AssertionVerdict.Accepted accepted:
                await RecordAudienceAsync(accepted, cancellationToken);
                var recorded = await replays.RecordAsync(
                    accepted.Client.ClientId, accepted.Jti, accepted.Expires + AssertionTimes.ClockSkew, cancellationToken);
                if (recorded == RecordAssertionOutcome.AlreadyUsed)
                {
                    const string Text = "jti has been used before: each assertion is accepted once.";
                    return await RefuseAsync(new AssertionVerdict.Refused(AssertionRule.SingleUse, Text, Text, accepted.Client), cancellationToken);
                }
                metrics.Accepted(accepted.Audience);
                RecordUse(accepted);
                return new AuthenticatedClient(accepted.Client, accepted.Key);
            case var other:
                throw new InvalidOperationException($"A verdict of an unknown kind: {other}");
        }
    }

    private void RecordUse(AssertionVerdict.Accepted accepted)
    {
        uses.Record(accepted.Client.ClientId, accepted.Key.Thumbprint);
        if (accepted.Client.Metadata.JwksUri is { } uri && hosted.IdOf(uri) is { } keySetId)
        {
            uses.Record(KeyUses.OwnerOf(keySetId), accepted.Key.Thumbprint);
        }
    }

    // A write only when the client moves from the token endpoint to the issuer, or is seen for the first time.
    private Task RecordAudienceAsync(AssertionVerdict.Accepted accepted, CancellationToken cancellationToken) =>
        accepted.Client.AssertionAudienceSeen is { } seen && seen >= accepted.Audience
            ? Task.CompletedTask
            : clients.RecordAssertionAudienceAsync(accepted.Client.ClientId, accepted.Audience, cancellationToken);

    private async Task<Result<AuthenticatedClient>> RefuseAsync(AssertionVerdict.Refused refused, CancellationToken cancellationToken)
    {
        metrics.Refused(refused.Rule);
        // The detail may quote what the caller sent; a line break in it must not forge a line of the log.
        var detail = OAuthErrorResult.Printable(refused.Detail);
        LogRefused(refused.Client?.ClientId, refused.Rule, detail);
        if (refused.Client is { } client)
        {
            await refusals.RecordAsync(client.ClientId, refused.Rule, detail, cancellationToken);
        }
        return OAuthError.InvalidClient(refused.Description, detail);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Client authentication refused for {ClientId} by rule {Rule}: {Detail}")]
    private partial void LogRefused(string? clientId, AssertionRule rule, string detail);
}
