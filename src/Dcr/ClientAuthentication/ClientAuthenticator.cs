using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Proofs;
using Dcr.Protocol;
using Dcr.Protocol.RateLimits;

namespace Dcr.ClientAuthentication;

/// <summary>A client that has proved itself.</summary>
/// <param name="Client">The client.</param>
/// <param name="Key">The key it did it with: its own, or that of who vouched for it.</param>
/// <param name="Instance">By an attestation. Null: by an assertion.</param>
internal sealed record AuthenticatedClient(Client Client, PublicKey Key, AttestedInstance? Instance = null);

/// <summary>
/// Authenticates a client by its assertion: rules 1 to 7 (<see cref="ClientAssertionRules"/>), then rule 8, the single
/// use, recorded last so that a refused assertion uses nothing up. Where the request has a client attestation, by that.
/// </summary>
internal sealed class ClientAuthenticator(
    ClientAssertionRules rules,
    ClientAttestationRules attestations,
    IUsedJtiStore replays,
    IQuarantinedKeyStore quarantine,
    IClientStore clients,
    RefusalAudit refusals,
    KeyUses uses,
    HostedKeySets hosted,
    ClientAuthenticationMetrics metrics,
    RequestLimits limits,
    TimeProvider time)
{
    public Task<Result<AuthenticatedClient>> ExecuteAsync(
        SentCredentials credentials, SentProofs sent, CancellationToken cancellationToken) =>
        ExecuteAsync(credentials, sent, isRepeated: false, cancellationToken);

    private async Task<Result<AuthenticatedClient>> ExecuteAsync(
        SentCredentials credentials, SentProofs sent, bool isRepeated, CancellationToken cancellationToken)
    {
        if (credentials.Attestations.Count > 0)
        {
            return await ByAttestationAsync(credentials, sent, cancellationToken);
        }

        // RFC 6749 section 5.2: several mechanisms in one request are invalid_request, not invalid_client.
        if (credentials.ClientAssertion is not null && (credentials.HasSecret || credentials.HasAuthorizationHeader))
        {
            return OAuthError.InvalidRequest(
                "Authenticate in one way only: client_assertion, without client_secret or an Authorization header.");
        }

        switch (await rules.CheckAsync(credentials, cancellationToken))
        {
            case AssertionVerdict.Refused refused:
                return await RefuseAsync(refused);
            case AssertionVerdict.Accepted accepted:
                // Before anything is written, so that a refused request is cheap and its assertion can be sent again; and counted only
                // below, when it has not been used: who sends an old one again takes nothing from its client.
                if (limits.FindExhausted(accepted.Client.ClientId) is { } exhausted)
                {
                    return exhausted;
                }
                // Both at once. The assertion of a key in quarantine may be used up: it is good for nothing.
                var held = quarantine.HoldsAsync(accepted.Key.Thumbprint, cancellationToken);
                var record = replays.RecordAsync(
                    accepted.Client.ClientId, accepted.Jti, accepted.Expires + JwtTimes.ClockSkew, cancellationToken);
                try
                {
                    await Task.WhenAll(record, held);
                }
                catch (StoreUnavailableException away) when (away.NothingWritten && record.IsFaulted && !isRepeated)
                {
                    // There is another primary, which may know of a change of the client: from the first rule on, by what it holds.
                    return await ExecuteAsync(credentials, sent, isRepeated: true, cancellationToken);
                }
                if (await held)
                {
                    return await RefuseAsync(ClientAssertionRules.InQuarantine(accepted));
                }
                if (await record == RecordJtiOutcome.AlreadyUsed)
                {
                    return await RefuseAsync(ClientAssertionRules.AlreadyUsed(accepted));
                }
                // Nothing is recorded of an assertion before it is known to be new: a copy of it moves nothing.
                if (!await RecordAsync(accepted.Client, accepted.ByException, cancellationToken))
                {
                    return await RefuseAsync(ClientAssertionRules.NoLongerActive(accepted.Client));
                }
                metrics.Accepted(accepted);
                RecordUse(accepted);
                return limits.CountProved(accepted.Client.ClientId) is { } tooMany
                    ? tooMany
                    : new AuthenticatedClient(accepted.Client, accepted.Key);
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

    private async Task<Result<AuthenticatedClient>> ByAttestationAsync(
        SentCredentials credentials, SentProofs sent, CancellationToken cancellationToken)
    {
        if (credentials.ClientAssertion is not null || credentials.HasSecret || credentials.HasAuthorizationHeader)
        {
            return OAuthError.InvalidRequest(
                $"Authenticate in one way only: {ClientAttestationRules.Header}, without client_assertion, client_secret or an "
                    + "Authorization header.");
        }
        var attested = await attestations.CheckAsync(credentials, sent, cancellationToken);
        if (!attested.IsSuccess)
        {
            metrics.Refused(AssertionRule.Attestation);
            var fault = attested.Error.Detail ?? attested.Error.Description;
            return attested.Error with { Detail = Detail(credentials.ClientId, AssertionRule.Attestation, fault) };
        }
        var instance = attested.Value;
        // Each device by itself: one that asks too often must not stop the others.
        if (limits.CountProved($"{instance.Client.ClientId} {instance.InstanceKey.Thumbprint}") is { } tooMany)
        {
            return tooMany;
        }
        return await RecordAsync(instance.Client, byException: false, cancellationToken)
            ? new AuthenticatedClient(instance.Client, instance.AttesterKey, instance)
            : await RefuseAsync(ClientAssertionRules.NoLongerActive(instance.Client));
    }

    /// <summary>
    /// A write only when the client was last used, or last needed its exception, too long ago to leave it at that. False: the
    /// client has been stopped or has expired meanwhile.
    /// </summary>
    private async Task<bool> RecordAsync(Client client, bool byException, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var recent = now - ClientLifecycle.LastUseAccuracy;
        var isKnown = client.LastUsedAt > recent && (!byException || client.ExceptionNeededAt > recent);
        return isKnown || await clients.RecordAuthenticationAsync(client.ClientId, byException, now, cancellationToken);
    }

    private async Task<Result<AuthenticatedClient>> RefuseAsync(AssertionVerdict.Refused refused)
    {
        metrics.Refused(refused.Rule);
        // The detail may quote what the caller sent; a line break in it must not forge a line of the log.
        var detail = OAuthErrorResult.Printable(refused.Detail);
        if (refused.Client is { } client)
        {
            await refusals.RecordAsync(client.ClientId, refused.Rule, detail);
        }
        return OAuthError.InvalidClient(refused.Description, Detail(refused.Client?.ClientId, refused.Rule, detail));
    }

    private static string Detail(string? clientId, AssertionRule rule, string detail) =>
        clientId is null ? $"rule {rule}: {detail}" : $"client {clientId}, rule {rule}: {detail}";
}
