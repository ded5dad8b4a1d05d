using Dcr.ClientAuthentication;
using Dcr.Clients;
using Dcr.Jose;
using Dcr.Proofs;
using Dcr.Protocol;

namespace Dcr.AccessTokens;

/// <summary>
/// Decides on the key that an access token is bound to: that of the DPoP proof (RFC 9449 section 5), and for an attested instance the one
/// that was attested, since nobody else may use what was given for it.
/// </summary>
internal sealed class AccessTokenBinding(DpopProofRules proofs, SecurityProfileRules profile)
{
    /// <returns>None: a bearer token.</returns>
    public async Task<Result<Optional<PublicKey>>> ExecuteAsync(
        SentProofs sent, Client client, AttestedInstance? instance, IReadOnlyList<string> scopes, CancellationToken cancellationToken)
    {
        if (scopes is [ScopeTokens.Registration] && PolicyFault(client, instance, sent) is { } fault)
        {
            return fault;
        }
        if (sent.IsEmpty && instance is null && (profile.BindsEveryToken || client.Metadata.DpopBoundAccessTokens == true))
        {
            return OAuthError.InvalidDpopProof(profile.BindsEveryToken
                ? "Every access token is bound to a key here: send a DPoP proof."
                : "The client is registered with dpop_bound_access_tokens: send a DPoP proof (RFC 9449 section 5.2).");
        }
        // What has proved the instance is used up, and is not verified once more.
        if (sent.IsEmpty || (instance is not null && sent.IsUsed))
        {
            return Result.OfOptional(instance?.InstanceKey);
        }
        var proved = await proofs.CheckAsync(
            sent,
            accessToken: null,
            key =>
                instance is null || instance.InstanceKey.Thumbprint == key.Thumbprint
                    ? null
                    : "The DPoP proof must be made with the key that was attested.",
            record: true,
            cancellationToken);
        return proved.IsSuccess ? Result.OfOptional<PublicKey>(proved.Value) : proved.Error;
    }

    private static OAuthError? PolicyFault(Client client, AttestedInstance? instance, SentProofs sent)
    {
        if (instance is null && client.RegistrationPolicy?.Attestation is { Mode: Requirement.Required })
        {
            return OAuthError.UnauthorizedClient(
                $"registration_policy.attestation is required: ask for the token with {ClientAttestationRules.Header}.");
        }
        return instance is null && sent.IsEmpty && client.RegistrationPolicy?.BindsKey == true
            ? OAuthError.InvalidDpopProof(
                "registration_policy.initial_access_token.bound_to_key: ask for the token with a DPoP proof by the key to register.")
            : null;
    }
}
