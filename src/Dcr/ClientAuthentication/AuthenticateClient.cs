using Dcr.Clients;
using Dcr.Keys;
using Dcr.ProofOfPossession;
using Dcr.Protocol;
using Microsoft.Extensions.Logging;

namespace Dcr.ClientAuthentication;

/// <summary>A client that has proved itself.</summary>
/// <param name="Client">The client.</param>
/// <param name="Key">The key it did it with: its own, or that of who vouched for it.</param>
/// <param name="Instance">By an attestation. Null: by an assertion.</param>
internal sealed record AuthenticatedClient(Client Client, ClientKey Key, AttestedInstance? Instance = null);

/// <summary>
/// Authenticates a client by its assertion: rules 1 to 7 (<see cref="ClientAssertionRules"/>), then rule 8, the single
/// use, recorded last so that a refused assertion uses nothing up. Where the request has a client attestation, by that.
/// </summary>
internal sealed partial class AuthenticateClient(
    ClientAssertionRules rules,
    ClientAttestationRules attestations,
    IAssertionReplayStore replays,
    IClientStore clients,
    RefusalAudit refusals,
    KeyUses uses,
    HostedKeySets hosted,
    ClientAuthenticationMetrics metrics,
    TimeProvider time,
    ILogger<AuthenticateClient> logger)
{
    private const string UnknownClient = "an unknown client";

    public async Task<Result<AuthenticatedClient>> ExecuteAsync(ClientCredentials credentials, SentProofs sent, CancellationToken cancellationToken)
    {
        if (credentials.Attestations.Count > 0)
        {
            return await ByAttestationAsync(credentials, sent, cancellationToken);
        }

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
                if (!await RecordAsync(accepted.Client, accepted.Audience, cancellationToken))
                {
                    return await RefuseAsync(ClientAssertionRules.NoLongerActive(accepted.Client), cancellationToken);
                }
                var recorded = await replays.RecordAsync(
                    accepted.Client.ClientId, accepted.Jti, accepted.Expires + JwtTimes.ClockSkew, cancellationToken);
                if (recorded == RecordAssertionOutcome.AlreadyUsed)
                {
                    return await RefuseAsync(ClientAssertionRules.AlreadyUsed(accepted), cancellationToken);
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

    private async Task<Result<AuthenticatedClient>> ByAttestationAsync(ClientCredentials credentials, SentProofs sent, CancellationToken cancellationToken)
    {
        if (credentials.ClientAssertion is not null || credentials.HasSecret || credentials.HasAuthorizationHeader)
        {
            return OAuthError.InvalidRequest($"Authenticate in one way only: {ClientAttestationRules.Header}, without client_assertion, client_secret or an Authorization header.");
        }
        var attested = await attestations.CheckAsync(credentials, sent, cancellationToken);
        if (!attested.IsSuccess)
        {
            metrics.Refused(AssertionRule.Attestation);
            var detail = OAuthErrorResult.Printable(attested.Error.Detail ?? attested.Error.Description);
            LogRefused(credentials.ClientId ?? UnknownClient, AssertionRule.Attestation, detail);
            return attested.Error;
        }
        var instance = attested.Value;
        return await RecordAsync(instance.Client, audience: null, cancellationToken)
            ? new AuthenticatedClient(instance.Client, instance.AttesterKey, instance)
            : await RefuseAsync(ClientAssertionRules.NoLongerActive(instance.Client), cancellationToken);
    }

    /// <summary>
    /// A write only when the client moves from the token endpoint to the issuer, or was last used too long ago to leave it
    /// at that. False: the client has been stopped or has expired meanwhile.
    /// </summary>
    private async Task<bool> RecordAsync(Client client, AssertionAudience? audience, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var isKnown = (audience is null || client.AssertionAudienceSeen >= audience) && client.LastUsedAt > now - ClientLifecycle.LastUseAccuracy;
        return isKnown || await clients.RecordAuthenticationAsync(client.ClientId, audience, now, cancellationToken);
    }

    private async Task<Result<AuthenticatedClient>> RefuseAsync(AssertionVerdict.Refused refused, CancellationToken cancellationToken)
    {
        metrics.Refused(refused.Rule);
        // The detail may quote what the caller sent; a line break in it must not forge a line of the log.
        var detail = OAuthErrorResult.Printable(refused.Detail);
        LogRefused(refused.Client?.ClientId ?? UnknownClient, refused.Rule, detail);
        if (refused.Client is { } client)
        {
            await refusals.RecordAsync(client.ClientId, refused.Rule, detail, cancellationToken);
        }
        return OAuthError.InvalidClient(refused.Description, detail);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Client authentication refused for {ClientId} by rule {Rule}: {Detail}")]
    private partial void LogRefused(Printed clientId, AssertionRule rule, Printed detail);
}
