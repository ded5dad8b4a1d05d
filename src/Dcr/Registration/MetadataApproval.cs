using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Protocol;
using Microsoft.Extensions.Options;

namespace Dcr.Registration;

/// <summary>What will be registered, the keys it was approved with, and the software statement it rests on, if any.</summary>
internal sealed record ApprovedMetadata(
    ClientMetadata Metadata, PublicKeySet Keys, StatementOrigin? Statement, ApprovedStatement? Used = null);

/// <summary>
/// Decides on metadata: a software statement's claims over the request's members over the policy's defaults (RFC 7591
/// section 2.3), then what metadata may say at all, what the policy allows, and keys that are valid and available. The
/// same for a registration and for an update (RFC 7592 section 2.2).
/// </summary>
internal sealed class MetadataApproval(
    KeySelector clientKeys,
    SoftwareStatements statements,
    IQuarantinedKeyStore quarantine,
    IOptions<JwksOptions> jwks,
    IssuerUrls urls,
    SecurityProfileRules profile)
{
    private readonly ClientMetadataValidator _validator = new(jwks.Value, urls, profile);

    /// <param name="requested">As sent.</param>
    /// <param name="policy">What applies.</param>
    /// <param name="registered">For an update: what is registered now.</param>
    /// <param name="caller">Whose share of the downloads it is.</param>
    /// <param name="cancellationToken">Stops a download.</param>
    public async Task<Result<ApprovedMetadata>> ExecuteAsync(
        ClientMetadata requested,
        RegistrationPolicy policy,
        ClientMetadata? registered,
        FetchCaller caller,
        CancellationToken cancellationToken)
    {
        requested = requested.WithoutEmpty();
        var statement = await statements.ApproveAsync(
            requested.SoftwareStatement, policy.SoftwareStatement, registered?.SoftwareStatement, cancellationToken);
        if (!statement.IsSuccess)
        {
            return statement.Error;
        }
        var stated = statement.Value.Value?.Claims;
        if (requested.SoftwareStatement is null && SoftwareStatements.FixedBy(registered?.SoftwareStatement) is { } kept)
        {
            // The client still rests on the statement it registered with: what that fixed stays, and so does the statement.
            stated = kept;
            requested = requested with { SoftwareStatement = registered!.SoftwareStatement };
        }
        var metadata = Layer(requested, stated, policy);
        metadata = policy.Narrow == true ? metadata.Narrowed(policy) : metadata;
        if (Fault(metadata, policy) is { } fault)
        {
            return fault;
        }
        var keys = await ReadKeysAsync(metadata, caller, cancellationToken);
        if (!keys.IsSuccess)
        {
            return keys.Error;
        }
        if (KeyFault(metadata, keys.Value, policy) is { } keyFault)
        {
            return keyFault;
        }
        return await quarantine.FirstAsync(keys.Value.Keys, cancellationToken) is { } held
            ? OAuthError.InvalidClientMetadata(
                $"{(metadata.Jwks is null ? "jwks_uri" : "jwks")}: key {held.Kid ?? held.Thumbprint} is in quarantine on this server.")
            : new ApprovedMetadata(Complete(metadata, keys.Value), keys.Value, statement.Value.Value?.Origin, statement.Value.Value);
    }

    private ClientMetadata Layer(ClientMetadata requested, ClientMetadata? stated, RegistrationPolicy policy)
    {
        var metadata = stated is null ? requested : stated.Over(requested);
        metadata = policy.Defaults is { } template ? metadata.Over(template) : metadata;
        var scope = ScopeTokens.Split(metadata.Scope) is { Count: > 0 } asked ? asked : policy.Scope?.Default ?? [];
        return metadata with
        {
            Scope = scope.Count == 0 ? metadata.Scope
                : metadata.Scope is { } text && !ScopeTokens.IsWellFormed(text) ? text
                : ScopeTokens.Join(scope),
            DpopBoundAccessTokens = metadata.DpopBoundAccessTokens ?? (BindsTokens(policy) ? true : null),
            Resources = metadata.Resources ?? (policy.Resources?.Default is { Count: > 0 } resources ? resources : null),
            GrantTypes = metadata.GrantTypes ?? (policy.GrantTypes?.Default is { Count: > 0 } types ? types : null),
        };
    }

    /// <summary>What a client gets that says nothing of it: it is told what holds for it.</summary>
    private bool BindsTokens(RegistrationPolicy policy) =>
        policy.DpopBoundAccessTokens == Requirement.Required
            || (profile.BindsEveryToken && policy.DpopBoundAccessTokens != Requirement.Off);

    /// <summary>Every fault that can be told without the keys.</summary>
    private OAuthError? Fault(ClientMetadata metadata, RegistrationPolicy policy)
    {
        var invalid = _validator.Validate(metadata).Errors;
        if (invalid.Count > 0)
        {
            return ValidationFaults.ToError(invalid);
        }
        var completed = metadata with { GrantTypes = metadata.EffectiveGrantTypes() };
        var excess = RegistrationCeiling.Faults(completed, policy).ToList();
        if (excess.Count == 0 && ScopeTokens.Split(metadata.Scope).Count == 0)
        {
            excess.Add(new(ClientMetadataValidator.InvalidMetadata, policy.Scope is { Allowed.Count: > 0 } scope
                ? $"scope: name at least one; registration_policy.scope allows {ScopeTokens.Join(scope.Allowed)}."
                : "scope: registration_policy.scope allows none, so nothing can be registered."));
        }
        return excess.Count == 0
            ? null
            : new OAuthError { Status = 400, Code = excess[0].Code, Description = string.Join(' ', excess.Select(fault => fault.Message)) };
    }

    private async Task<Result<PublicKeySet>> ReadKeysAsync(
        ClientMetadata metadata, FetchCaller caller, CancellationToken cancellationToken) =>
        metadata.Jwks is { } inline
            ? PublicKeySet.ReadForRegistration(inline, out var fault) is { } read
                ? read
                : OAuthError.InvalidClientMetadata($"jwks: {fault}")
            : await clientKeys.FetchAsync(metadata.JwksUri!, caller, cancellationToken);

    private OAuthError? KeyFault(ClientMetadata metadata, PublicKeySet keys, RegistrationPolicy policy)
    {
        if (!keys.Keys.Any(key => profile.Algorithms.Any(key.Fits)))
        {
            return OAuthError.InvalidClientMetadata(
                $"{(metadata.Jwks is null ? "jwks_uri" : "jwks")}: no key fits any of {profile.AlgorithmNames}, which this server "
                    + "accepts.");
        }
        if (metadata.TokenEndpointAuthSigningAlg is { } alg && !keys.Keys.Any(key => key.Fits(alg)))
        {
            return OAuthError.InvalidClientMetadata($"token_endpoint_auth_signing_alg: no key of the client fits {alg}.");
        }
        if (policy.SigningAlgs is { Count: > 0 } algs && keys.Keys.FirstOrDefault(key => !algs.Any(key.Fits)) is { } excess)
        {
            var source = metadata.Jwks is null ? "jwks_uri" : "jwks";
            return OAuthError.InvalidClientMetadata(
                $"{source}: key {excess.Kid ?? excess.Thumbprint} fits none of {string.Join(' ', algs)}, which "
                    + "registration_policy.signing_algs allows.");
        }
        return null;
    }

    private static ClientMetadata Complete(ClientMetadata metadata, PublicKeySet keys) => metadata with
    {
        GrantTypes = metadata.EffectiveGrantTypes(),
        ResponseTypes = metadata.EffectiveResponseTypes(),
        // Public members only, and only keys that can verify: what is registered is what is shown.
        Jwks = metadata.Jwks is null ? null : keys.ToJwkSet(),
        Others = HumanReadableMembers.Keep(metadata.Others),
    };
}
