using Dcr.AccessTokens;
using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Proofs;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>
/// That nobody registers a key it does not hold, and that a client's keys are changed by whoever held them before: by
/// DPoP proofs on the registration endpoint, as far as the policy asks for them.
/// </summary>
internal sealed class KeyPossession(DpopProofRules proofs, KeySelector clientKeys, TimeProvider time)
{
    // As many as there may be inline keys by default; each costs the verification of a signature.
    private const int MaxNewKeyProofs = 10;

    /// <returns>The key of the proof; none where the policy asks for none and none was sent.</returns>
    public async Task<Result<Optional<PublicKey>>> CheckRegistrationAsync(
        RegistrationRequest request,
        RegistrationPolicy policy,
        ApprovedMetadata approved,
        bool useProof,
        CancellationToken cancellationToken)
    {
        var token = request.InitialAccessToken;
        var submitted = approved.Keys;
        if (AttestationFault(token, policy) is { } fault)
        {
            return fault;
        }
        if (policy.BindsKey && token.BoundTo is null)
        {
            return OAuthError.InvalidDpopProof(
                "registration_policy.initial_access_token.bound_to_key: the initial access token must be asked for with a DPoP proof by "
                    + "the key to register.");
        }
        // A device registers the one key that it asked for the token with, or that was attested; a URL could serve another tomorrow.
        if ((policy.BindsKey || token.Attester is not null)
            && (approved.Metadata.Jwks is null || submitted.Keys is not [var only] || only.Thumbprint != token.BoundTo))
        {
            return OAuthError.InvalidClientMetadata(
                $"jwks: must hold the one key that the initial access token is bound to, with the thumbprint {token.BoundTo}, and be no "
                    + "jwks_uri.");
        }
        // One proof shows one key, and what is not shown may be somebody else's.
        if (policy.ProofOfPossession == Requirement.Required && submitted.Keys.Count > 1)
        {
            return OAuthError.InvalidClientMetadata(
                $"{(approved.Metadata.Jwks is null ? "jwks_uri" : "jwks")}: {submitted.Keys.Count} keys; "
                    + "registration_policy.proof_of_possession is required, and a proof shows one: register that one.");
        }
        if (request.ProvedWith is { } bound)
        {
            return policy.ProofOfPossession == Requirement.Required && !Holds(submitted, bound)
                ? OAuthError.InvalidDpopProof(
                    "registration_policy.proof_of_possession: the DPoP proof must be made with one of the keys that are registered.")
                : Result.OfOptional<PublicKey>(bound);
        }
        return await CheckAsync(
            request.Proofs,
            policy.ProofOfPossession ?? Requirement.Off,
            submitted,
            "one of the keys that are registered",
            useProof,
            cancellationToken);
    }

    /// <summary>
    /// For an update: a change of keys is proved by a key from before, or by a new one where an administrator has allowed it; and where a
    /// proof is required, by every key that is new as well.
    /// </summary>
    public async Task<OAuthError?> CheckUpdateAsync(
        Client client, RegistrationPolicy policy, ApprovedMetadata approved, UpdateClient request, CancellationToken cancellationToken)
    {
        var isDevice = policy.BindsKey || client.Origin?.Attester is not null;
        var mode = isDevice ? Requirement.Required : policy.ProofOfPossession ?? Requirement.Off;
        if (mode == Requirement.Off)
        {
            return null;
        }
        var before = (await clientKeys.FindAsync(client.AsKeyOwner(), cancellationToken)).Set;
        if (before is not null && approved.Metadata.JwksUri == client.Metadata.JwksUri && approved.Keys.Keys.All(key => Holds(before, key)))
        {
            return null;
        }
        if (isDevice && approved.Metadata.Jwks is null)
        {
            return OAuthError.InvalidClientMetadata(
                "jwks: a client whose initial access token was bound to its key has its keys there, not at a jwks_uri.");
        }
        var isAllowed = client.MayChangeKeysAt(time.GetUtcNow());
        var provers = isAllowed ? approved.Keys : Unblocked(before, client);
        if (provers is null)
        {
            return OAuthError.InvalidDpopProof(
                "A change of keys is proved by a key from before, and those are not available now. An administrator can allow the change.");
        }
        var whose = isAllowed ? "one of the new keys" : "a key that the client had before (an administrator can allow a change without)";
        var added = approved.Keys.Keys.Where(key => before is null || !Holds(before, key)).ToList();
        // Proved with the registration access token already, by a key from before: a proof is used once.
        var proved = request.Caller.ProvedWith is { } bound && Holds(provers, bound)
            ? Result.OfOptional<PublicKey>(bound)
            : await CheckAsync(request.Proofs, mode, provers, whose, useProof: true, cancellationToken);
        return proved.IsSuccess && mode == Requirement.Required
            ? await CheckAddedAsync(
                added.Where(key => key.Thumbprint != proved.Value.Value?.Thumbprint), request.NewKeyProofs, cancellationToken)
            : proved.Error;
    }

    /// <summary>What is not shown may be somebody else's: each key that the client had not before proves itself.</summary>
    private async Task<OAuthError?> CheckAddedAsync(
        IEnumerable<PublicKey> added, IReadOnlyList<SentProofs> sent, CancellationToken cancellationToken)
    {
        var unproved = added.Select(key => key.Thumbprint).ToHashSet(StringComparer.Ordinal);
        if (unproved.Count > 0 && sent.Count > MaxNewKeyProofs)
        {
            return OAuthError.InvalidDpopProof($"There must be at most {MaxNewKeyProofs} proofs in {SentProofs.NewKeyHeader}.");
        }
        foreach (var proof in unproved.Count == 0 ? [] : sent)
        {
            var proved = await proofs.CheckAsync(
                proof,
                accessToken: null,
                key => unproved.Contains(key.Thumbprint) ? null : "It must be made with a key that is new.",
                record: true,
                cancellationToken);
            if (!proved.IsSuccess)
            {
                return proved.Error with { Description = $"{SentProofs.NewKeyHeader}: {proved.Error.Description}" };
            }
            unproved.Remove(proved.Value.Thumbprint);
        }
        return unproved.Count == 0
            ? null
            : OAuthError.InvalidDpopProof(
                $"registration_policy.proof_of_possession: each key that is new proves itself, in the {SentProofs.NewKeyHeader} header, "
                + "by a proof that is made as one for DPoP is. "
                + $"There is none by the key with the thumbprint {unproved.First()}.");
    }

    /// <summary>That the sender holds a key which the client has now.</summary>
    public async Task<OAuthError?> CheckHeldAsync(Client client, SentProofs sent, CancellationToken cancellationToken)
    {
        var held = Unblocked((await clientKeys.FindAsync(client.AsKeyOwner(), cancellationToken)).Set, client);
        var proved = await proofs.CheckAsync(
            sent,
            accessToken: null,
            key => held is not null && Holds(held, key) ? null : "The DPoP proof must be made with a key that is registered now.",
            record: true,
            cancellationToken);
        return proved.Error;
    }

    /// <summary>A token outlives the policy it was given under, and registers nothing that the policy of now would not.</summary>
    private static OAuthError? AttestationFault(AccessToken token, RegistrationPolicy policy) => (token.Attester, policy.Attestation) switch
    {
        (null, { Mode: Requirement.Required }) =>
            OAuthError.InvalidToken(
                "registration_policy.attestation is required: the initial access token must be asked for with an attestation."),
        (null, _) => null,
        ({ } attester, { Mode: not Requirement.Off } trusted) when trusted.Attesters.Any(known => known.Issuer == attester) => null,
        _ => OAuthError.InvalidToken("registration_policy.attestation: the attester that vouched for the key is not trusted any more."),
    };

    private async Task<Result<Optional<PublicKey>>> CheckAsync(
        SentProofs sent, Requirement mode, PublicKeySet provers, string whose, bool useProof, CancellationToken cancellationToken)
    {
        if (mode == Requirement.Off || (mode == Requirement.Optional && sent.IsEmpty))
        {
            return Result.OfOptional<PublicKey>(null);
        }
        var proved = await proofs.CheckAsync(
            sent, accessToken: null, key =>
                Holds(provers, key) ? null : $"The DPoP proof must be made with {whose}.", useProof, cancellationToken);
        return proved.IsSuccess
            ? Result.OfOptional<PublicKey>(proved.Value)
            : proved.Error with { Description = $"registration_policy.proof_of_possession: {proved.Error.Description}" };
    }

    private static bool Holds(PublicKeySet set, PublicKey key) => set.Keys.Any(held => held.Thumbprint == key.Thumbprint);

    private static PublicKeySet? Unblocked(PublicKeySet? set, Client client) =>
        set is null ? null : PublicKeySet.Of([.. set.Keys.Where(key => !client.QuarantinedKeys.Contains(key.Thumbprint))]);
}
