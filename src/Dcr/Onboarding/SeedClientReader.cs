using System.Text.Json;
using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.Registration;
using Microsoft.Extensions.Options;

namespace Dcr.Onboarding;

/// <summary>
/// Checks one entry of the seed file, or of the admin API, by the rules of a registration; the operator may give any scope.
/// </summary>
internal sealed class SeedClientReader(
    RegistrationPolicyReader policies, IOptions<JwksOptions> jwksOptions, IssuerUrls urls, SecurityProfileRules profile)
{
    /// <summary>
    /// draft-ietf-oauth-attestation-based-client-auth-11 section 15.6: for an onboarding client that only attested instances use.
    /// </summary>
    private const string AttestationOnly = "attest_jwt_client_auth";

    private readonly ClientMetadataValidator _validator = new(jwksOptions.Value, urls, profile);

    /// <summary>Null, with the faults, when the entry cannot be used.</summary>
    public SeededClient? Read(SeedClient seed, out IReadOnlyList<string> faults)
    {
        var found = new List<string>();
        seed = seed.WithoutEmpty();
        if (ChosenId.Fault(seed.ClientId) is { } idFault)
        {
            found.Add($"client_id: {idFault}");
        }
        // An operator must not believe in a member that was misspelt.
        found.AddRange(
            (seed.Others ?? []).Keys.Where(name => !HumanReadableMembers.IsTagged(name)).Select(
                name => $"{Shortened.Of(name)}: unknown member."));
        var before = found.Count;
        var policy = policies.Read(seed.RegistrationPolicy, found);
        // A policy that cannot be read says nothing about keys; its own faults are enough.
        var needsNoKeys = policy?.Attestation is { Mode: Requirement.Required } || found.Count > before;
        found.AddRange(MetadataFaults(seed, needsNoKeys));
        var jwks = seed.Jwks is null ? null : ReadKeys(seed.Jwks, found);
        if (seed.RegistrationPolicy is null or { ValueKind: JsonValueKind.Null }
            && ScopeTokens.Split(seed.Scope).Contains(ScopeTokens.Registration))
        {
            found.Add("registration_policy: needed with the scope dcr.");
        }
        faults = found;
        return found.Count > 0 ? null : new SeededClient(seed.ClientId, Complete(seed, jwks), policy);
    }

    private IEnumerable<string> MetadataFaults(SeedClient seed, bool needsNoKeys)
    {
        if (seed is { TokenEndpointAuthMethod: AttestationOnly, Jwks: null, JwksUri: null } && needsNoKeys)
        {
            // Whoever needs no key of its own is judged as if it had one.
            seed = seed with { TokenEndpointAuthMethod = ClientMetadataValidator.PrivateKeyJwt, Jwks = new JwkSet { Keys = [] } };
        }
        else if (seed.TokenEndpointAuthMethod == AttestationOnly)
        {
            return
            [
                $"token_endpoint_auth_method: {AttestationOnly} is for an onboarding client without keys whose "
                    + "registration_policy.attestation.mode is required.",
            ];
        }
        return _validator.Validate(seed).Errors.Select(error => error.ErrorMessage);
    }

    private static JwkSet? ReadKeys(JwkSet jwks, List<string> faults)
    {
        if (PublicKeySet.ReadForRegistration(jwks, out var fault) is not { } read)
        {
            faults.Add($"jwks: {fault}");
            return null;
        }
        return read.ToJwkSet();
    }

    /// <summary>The metadata alone, with defaults filled in as a registration would.</summary>
    private static ClientMetadata Complete(SeedClient seed, JwkSet? jwks) => new ClientMetadata
    {
        RedirectUris = seed.RedirectUris,
        TokenEndpointAuthMethod = seed.TokenEndpointAuthMethod,
        TokenEndpointAuthSigningAlg = seed.TokenEndpointAuthSigningAlg,
        GrantTypes = seed.EffectiveGrantTypes(),
        ResponseTypes = seed.EffectiveResponseTypes(),
        ClientName = seed.ClientName,
        ClientUri = seed.ClientUri,
        LogoUri = seed.LogoUri,
        Scope = ScopeTokens.Join(ScopeTokens.Split(seed.Scope)),
        Contacts = seed.Contacts,
        TosUri = seed.TosUri,
        PolicyUri = seed.PolicyUri,
        JwksUri = seed.JwksUri,
        Jwks = jwks,
        SoftwareId = seed.SoftwareId,
        SoftwareVersion = seed.SoftwareVersion,
        Resources = seed.Resources,
        DpopBoundAccessTokens = seed.DpopBoundAccessTokens,
        Others = HumanReadableMembers.Keep(seed.Others),
    };
}
