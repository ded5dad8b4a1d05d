using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Proofs;
using Dcr.Protocol;

namespace Dcr.ClientAuthentication;

/// <summary>A client instance that was found to be what its attester says.</summary>
/// <param name="Client">The client it is an instance of.</param>
/// <param name="AttesterKey">The key the attestation is signed with.</param>
/// <param name="Attester">Whose key that is.</param>
/// <param name="InstanceKey">The key that the instance holds, and has proved.</param>
internal sealed record AttestedInstance(Client Client, PublicKey AttesterKey, string Attester, PublicKey InstanceKey);

/// <summary>
/// Attestation-based client authentication (draft-ietf-oauth-attestation-based-client-auth-11): somebody the client's
/// registration policy trusts vouches for a key made on a device, and the device proves that key, by a JWT of its own
/// (section 5.1) or by the DPoP proof that it sends anyway (section 5.2). The single use of the proof is recorded last.
/// </summary>
internal sealed class ClientAttestationRules(
    IClientStore clients,
    KeySelector keys,
    DpopProofRules dpop,
    IUsedJtiStore replays,
    IQuarantinedKeyStore quarantine,
    IssuerUrls urls,
    SecurityProfileRules profile,
    TimeProvider time)
{
    public const string Header = "OAuth-Client-Attestation";
    public const string ProofHeader = "OAuth-Client-Attestation-PoP";
    public const string Type = "oauth-client-attestation+jwt";
    public const string ProofType = "oauth-client-attestation-pop+jwt";

    private const int MaxJti = 256;

    /// <summary>How long ago a proof may have been made, and how far ahead it may expire.</summary>
    private static readonly TimeSpan s_proofLife = TimeSpan.FromMinutes(1);

    // One text until the attester's signature is verified: it must not tell a stranger whether the client exists.
    private const string Unproved =
        "The client is unknown or not active, takes no attestation, or the attestation is not signed by an attester that it trusts. Check "
            + "sub, iss, kid and the registration policy.";

    public async Task<Result<AttestedInstance>> CheckAsync(
        SentCredentials credentials, SentProofs sent, CancellationToken cancellationToken)
    {
        if (credentials.Attestations is not [var text] || credentials.AttestationProofs.Count > 1)
        {
            return Refuse($"There must be one {Header} header and at most one {ProofHeader} header.");
        }
        if (SignedJwt.Parse(text, out var fault) is not { } attestation)
        {
            return Refuse($"{Header} is malformed: {fault}.");
        }
        if (!attestation.IsOfType(Type) || !profile.Allows(attestation.Alg))
        {
            return Refuse($"{Header} must have typ {Type} and an alg among {profile.AlgorithmNames}.");
        }
        if (credentials.ClientId is { } clientId && clientId != attestation.Subject)
        {
            return Refuse($"client_id is not the sub of {Header}.");
        }
        var found = await FindAttesterAsync(attestation, cancellationToken);
        if (!found.IsSuccess)
        {
            return found.Error;
        }
        var (client, attester, attesterKey) = found.Value;

        // From here on an attester has signed what was sent, and the caller may be told what is wrong.
        if (attestation.Expires.Kind == JwtTimeKind.Absent)
        {
            return Refuse($"{Header}: exp is missing.");
        }
        if (JwtTimes.Fault(attestation, time.GetUtcNow(), longestLife: null) is { } timesFault)
        {
            return Refuse($"{Header}: {timesFault}");
        }
        if (attestation.IsAddressedToOthers(urls.Issuer))
        {
            return Refuse($"{Header}: aud, if there is one, must name the issuer, {urls.Issuer}.");
        }
        if (SignedJwt.Member(attestation.ClaimsJson, "cnf", "jwk") is not { } jwk
            || PublicKeyReader.Read(jwk) is not ReadKey.Usable { Key: var instanceKey })
        {
            return Refuse($"{Header}: cnf.jwk must be a public key fit for signatures.");
        }
        if (await quarantine.FirstAsync([attesterKey, instanceKey], cancellationToken) is { } held)
        {
            return Refuse(Unproved, $"key {held.Thumbprint} is in quarantine on the whole server");
        }
        var proved = credentials.AttestationProofs is [var proof]
            ? await CheckProofAsync(proof, instanceKey, client, cancellationToken)
            : await CheckDpopAsync(sent, instanceKey, cancellationToken);
        return proved is null
            ? new AttestedInstance(client, attesterKey, attester.Issuer, instanceKey)
            : proved;
    }

    private async Task<Result<(Client Client, Attester Attester, PublicKey Key)>> FindAttesterAsync(
        SignedJwt attestation, CancellationToken cancellationToken)
    {
        if (attestation.Subject is null || await clients.FindAsync(attestation.Subject, cancellationToken) is not { } client)
        {
            return Refuse(Unproved, "there is no such client");
        }
        if (!client.IsActiveAt(time.GetUtcNow()))
        {
            return Refuse(Unproved, $"the client is {WireEnum.NameOf(client.StatusAt(time.GetUtcNow()))}");
        }
        if (client.RegistrationPolicy?.Attestation is not { Mode: not Requirement.Off } policy)
        {
            return Refuse(Unproved, "registration_policy.attestation is off");
        }
        // The draft leaves iss to the deployment; without it there must be no doubt whose signature is meant.
        var attester = attestation.Issuer is { } issuer
            ? policy.Attesters.FirstOrDefault(attester => attester.Issuer == issuer)
            : policy.Attesters is [var only] ? only : null;
        if (attester is null)
        {
            return Refuse(Unproved, $"iss {attestation.Issuer ?? "(none)"} is no attester that the policy trusts");
        }
        var selected = await keys.SelectAsync(attester.AsKeyOwner(), attestation.Kid, attestation.Alg, cancellationToken);
        if (selected.Key is not { } key || !key.Verify(attestation.Alg, attestation.SigningInput.Span, attestation.Signature.Span))
        {
            return Refuse(Unproved, selected.Key is null ? selected.Fault : "the signature of the attestation does not verify");
        }
        return client.QuarantinedKeys.Contains(key.Thumbprint)
            ? Refuse(Unproved, $"the attester's key {key.Thumbprint} is quarantined")
            : (client, attester, key);
    }

    /// <summary>Section 5.1. Null: the instance holds its key.</summary>
    private async Task<OAuthError?> CheckProofAsync(string text, PublicKey instanceKey, Client client, CancellationToken cancellationToken)
    {
        if (SignedJwt.Parse(text, out var fault) is not { } proof)
        {
            return Refuse($"{ProofHeader} is malformed: {fault}.");
        }
        if (!proof.IsOfType(ProofType) || !profile.Allows(proof.Alg))
        {
            return Refuse($"{ProofHeader} must have typ {ProofType} and an alg among {profile.AlgorithmNames}.");
        }
        if (!instanceKey.Verify(proof.Alg, proof.SigningInput.Span, proof.Signature.Span))
        {
            return Refuse($"{ProofHeader} must be signed by the key in cnf of {Header}.");
        }
        if (proof.Audiences is not [var audience] || audience != urls.Issuer)
        {
            return Refuse($"{ProofHeader}: aud must be the issuer, {urls.Issuer}.");
        }
        // Earlier revisions of the draft had iss.
        if (proof.Issuer is not null && proof.Issuer != client.ClientId)
        {
            return Refuse($"{ProofHeader}: iss, if there is one, must be the client_id.");
        }
        if (JwtTimes.FreshnessFault(proof, time.GetUtcNow(), s_proofLife) is { } timesFault)
        {
            return Refuse($"{ProofHeader}: {timesFault}");
        }
        if (proof.Jti is not { Length: > 0 and <= MaxJti } jti)
        {
            return Refuse($"{ProofHeader}: jti must be present and at most {MaxJti} characters long.");
        }
        // Apart from assertions and DPoP proofs: none may use up another's jti.
        var used = await replays.RecordAsync(
            $"attestation-pop {instanceKey.Thumbprint}", jti, proof.IssuedAt.At + s_proofLife + JwtTimes.ClockSkew, cancellationToken);
        return used == RecordJtiOutcome.Recorded ? null : Refuse($"{ProofHeader}: jti has been used before.");
    }

    /// <summary>Section 5.2: the DPoP proof of the request shows the key as well.</summary>
    private async Task<OAuthError?> CheckDpopAsync(SentProofs sent, PublicKey instanceKey, CancellationToken cancellationToken)
    {
        if (sent.IsEmpty)
        {
            return Refuse($"{Header} needs {ProofHeader} or a DPoP proof beside it.");
        }
        var proved = await dpop.CheckAsync(
            sent,
            accessToken: null,
            key => key.Thumbprint == instanceKey.Thumbprint ? null : $"The DPoP proof must be made with the key in cnf of {Header}.",
            record: true,
            cancellationToken);
        return proved.Error;
    }

    private static OAuthError Refuse(string description, string? detail = null) => OAuthError.InvalidClient(description, detail);
}
