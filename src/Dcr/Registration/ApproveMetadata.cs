using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>What will be registered, and the keys it was approved with.</summary>
internal sealed record ApprovedMetadata(ClientMetadata Metadata, ClientKeySet Keys);

/// <summary>
/// Decides on metadata that is valid in itself: what the policy allows, defaults for what was left out, and keys that
/// are good and can be had. The same for a registration and for an update (RFC 7592 section 2.2).
/// </summary>
internal sealed class ApproveMetadata(ClientKeys clientKeys)
{
    public async Task<Result<ApprovedMetadata>> ExecuteAsync(ClientMetadata requested, RegistrationPolicy policy, CancellationToken cancellationToken)
    {
        // RFC 7591 section 2.3: a statement that cannot be honoured must not pass as if it had been.
        if (requested.SoftwareStatement is not null)
        {
            return OAuthError.UnapprovedSoftwareStatement("software_statement: this registration accepts no software statements.");
        }
        var scope = ApproveScope(requested.Scope, policy.Scope ?? new ScopePolicy());
        if (!scope.IsSuccess)
        {
            return scope.Error;
        }
        var keys = await ApproveKeysAsync(requested, cancellationToken);
        if (!keys.IsSuccess)
        {
            return keys.Error;
        }
        if (requested.TokenEndpointAuthSigningAlg is { } alg && !keys.Value.Keys.Any(key => key.Fits(alg)))
        {
            return OAuthError.InvalidClientMetadata($"token_endpoint_auth_signing_alg: no key of the client fits {alg}.");
        }
        return new ApprovedMetadata(Complete(requested, scope.Value, keys.Value), keys.Value);
    }

    /// <summary>RFC 7591 section 2: within the ceiling, or the default. More than the ceiling is refused rather than cut.</summary>
    private static Result<string> ApproveScope(string? requested, ScopePolicy policy)
    {
        var scopes = ScopeTokens.Split(requested);
        if (scopes.Count == 0)
        {
            scopes = policy.Default;
        }
        if (scopes.Count == 0)
        {
            return OAuthError.InvalidClientMetadata($"scope: name at least one; {Ceiling(policy)}");
        }
        var excess = scopes.Where(scope => !policy.Allowed.Contains(scope)).ToList();
        return excess.Count == 0
            ? ScopeTokens.Join(scopes)
            : OAuthError.InvalidClientMetadata($"scope: {ScopeTokens.Join(excess)} may not be registered; {Ceiling(policy)}");
    }

    private static string Ceiling(ScopePolicy policy) => policy.Allowed.Count == 0
        ? "the registration policy allows none."
        : $"the registration policy allows {ScopeTokens.Join(policy.Allowed)}.";

    private async Task<Result<ClientKeySet>> ApproveKeysAsync(ClientMetadata requested, CancellationToken cancellationToken)
    {
        if (requested.Jwks is { } jwks)
        {
            return ClientKeySet.ReadForRegistration(jwks);
        }
        var fetched = await clientKeys.FetchAsync(requested.JwksUri!, cancellationToken);
        return fetched.Set is { } set ? set : OAuthError.InvalidClientMetadata($"jwks_uri: {fetched.Fault}");
    }

    private static ClientMetadata Complete(ClientMetadata requested, string scope, ClientKeySet keys) => requested with
    {
        Scope = scope,
        GrantTypes = requested.EffectiveGrantTypes(),
        ResponseTypes = requested.EffectiveResponseTypes(),
        // Public members only, and only keys that can verify: what is registered is what is shown.
        Jwks = requested.Jwks is null ? null : keys.ToJwkSet(),
        Others = HumanReadableMembers.Keep(requested.Others),
    };
}
