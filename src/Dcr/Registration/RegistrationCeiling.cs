using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>One thing that a policy does not allow: the member, the rule, and what it allows.</summary>
internal readonly record struct CeilingFault(string Code, string Message);

/// <summary>What of some metadata a policy does not allow, as far as the metadata alone tells. Pure; every fault at once.</summary>
internal static class RegistrationCeiling
{
    public static IEnumerable<CeilingFault> Faults(ClientMetadata metadata, RegistrationPolicy policy)
    {
        if (policy.RedirectUriHosts is { Count: > 0 } redirectHosts)
        {
            foreach (var uri in (metadata.RedirectUris ?? []).Where(uri => !HostPattern.Allows(redirectHosts, uri)))
            {
                yield return new(
                    ClientMetadataValidator.InvalidRedirectUri,
                    $"redirect_uris: the host of {uri} is not allowed; registration_policy.redirect_uri_hosts allows "
                        + $"{Join(redirectHosts)}.");
            }
        }
        if (ScopeFault(metadata.Scope, policy.Scope ?? new ScopePolicy()) is { } scopeFault)
        {
            yield return Invalid(scopeFault);
        }
        if ((metadata.Resources ?? []).Except(policy.Resources?.Allowed ?? []).ToList() is { Count: > 0 } foreign)
        {
            var allowed = policy.Resources is { Allowed.Count: > 0 } resources ? Join(resources.Allowed) : "none";
            yield return Invalid($"resources: {Join(foreign)} may not be registered; registration_policy.resources allows {allowed}.");
        }
        if (policy.GrantTypes?.Allowed is { Count: > 0 } grantTypes
            && (metadata.GrantTypes ?? []).Except(grantTypes).ToList() is { Count: > 0 } excess)
        {
            yield return Invalid(
                $"grant_types: {Join(excess)} may not be registered; registration_policy.grant_types allows {Join(grantTypes)}.");
        }
        if (policy.SigningAlgs is { Count: > 0 } algs && metadata.TokenEndpointAuthSigningAlg is { } alg && !algs.Contains(alg))
        {
            yield return Invalid(
                $"token_endpoint_auth_signing_alg: {alg} may not be registered; registration_policy.signing_algs allows {Join(algs)}.");
        }
        if (policy.DpopBoundAccessTokens is { } binding
            && (metadata.DpopBoundAccessTokens ?? false) != (binding == Requirement.Required)
            && binding != Requirement.Optional)
        {
            yield return Invalid(
                $"dpop_bound_access_tokens: must be {(binding == Requirement.Required ? "true" : "false")}; "
                    + $"registration_policy.dpop_bound_access_tokens is {WireEnum.NameOf(binding)}.");
        }
        if ((policy.Keys == KeySources.Jwks || policy.BindsKey) && metadata.JwksUri is not null)
        {
            yield return Invalid(policy.BindsKey
                ? "jwks_uri: registration_policy.initial_access_token.bound_to_key allows jwks only."
                : "jwks_uri: registration_policy.keys allows jwks only.");
        }
        if (policy.Keys == KeySources.JwksUri && metadata.Jwks is not null)
        {
            yield return Invalid("jwks: registration_policy.keys allows jwks_uri only.");
        }
        if (metadata.Jwks is { Keys.Count: var count } && count > (policy.MaxInlineKeys ?? RegistrationPolicy.DefaultInlineKeys))
        {
            yield return Invalid(
                $"jwks: {count} keys; registration_policy.max_inline_keys allows "
                    + $"{policy.MaxInlineKeys ?? RegistrationPolicy.DefaultInlineKeys}.");
        }
        if (metadata.JwksUri is { } jwksUri && !HostPattern.Allows(policy.JwksUriHosts, jwksUri))
        {
            yield return Invalid(
                $"jwks_uri: its host is not allowed; registration_policy.jwks_uri_hosts allows {Join(policy.JwksUriHosts!)}.");
        }
    }

    /// <summary>RFC 7591 section 2: more than the ceiling is refused rather than cut.</summary>
    private static string? ScopeFault(string? requested, ScopePolicy policy)
    {
        var scopes = ScopeTokens.Split(requested);
        if (policy.Allowed.Count == 0)
        {
            return scopes.Count == 0 ? null : "scope: registration_policy.scope allows none.";
        }
        return scopes.Except(policy.Allowed).ToList() is { Count: > 0 } excess
            ? $"scope: {Join(excess)} may not be registered; registration_policy.scope allows {Join(policy.Allowed)}."
            : null;
    }

    private static CeilingFault Invalid(string message) => new(ClientMetadataValidator.InvalidMetadata, message);

    private static string Join(IEnumerable<string> values) => string.Join(' ', values);
}
