using System.Text.Json;
using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.Registration;

namespace Dcr.Onboarding;

/// <summary>What a registration policy may say; every fault at once, each named by its path.</summary>
internal static class RegistrationPolicyRules
{
    public const long MaxIdleSeconds = 366L * 24 * 3600;

    private const int MaxUses = 1_000_000;
    private static readonly int s_maxTokenSeconds = (int)InitialAccessTokenPolicy.LongestLifetime.TotalSeconds;
    private const long MaxClients = 1_000_000_000;
    private const long MinLifeSeconds = 60;
    private const long MaxLifeSeconds = 20 * MaxIdleSeconds;
    private const long MinIdleSeconds = 3600;
    private const int MaxEntries = 100;
    private const int MaxIssuer = 512;

    public static IEnumerable<string> Faults(
        RegistrationPolicy policy, JwksOptions options, IssuerUrls urls, SecurityProfileRules profile) =>
        NumberFaults(policy)
            .Concat(EmptyFaults(policy))
            .Concat(ScopeFaults(policy.Scope))
            .Concat(ResourceFaults(policy.Resources))
            .Concat(GrantTypeFaults(policy.GrantTypes))
            .Concat(
                ListFaults(
                    "signing_algs", policy.SigningAlgs, alg => profile.Allows(alg) ? null : $"must be one of {profile.AlgorithmNames}."))
            .Concat(ListFaults("jwks_uri_hosts", policy.JwksUriHosts, HostPattern.Fault))
            .Concat(ListFaults("redirect_uri_hosts", policy.RedirectUriHosts, HostPattern.Fault))
            .Concat(StatementFaults(policy.SoftwareStatement, options, urls))
            .Concat(AttestationFaults(policy.Attestation, options, urls))
            .Concat(DefaultFaults(policy, options, urls, profile))
            .Concat(
                (policy.Unknown ?? [])
                    .Where(member => member.Value.ValueKind != JsonValueKind.Null)
                    .Select(member => $"{member.Key}: unknown member of a registration policy."))
            .Select(fault => "registration_policy." + fault);

    private static IEnumerable<string> NumberFaults(RegistrationPolicy policy)
    {
        (string Name, long? Value, long Min, long Max)[] numbers =
        [
            ("initial_access_token.uses", policy.InitialAccessToken?.Uses, 1, MaxUses),
            ("initial_access_token.lifetime_seconds", policy.InitialAccessToken?.LifetimeSeconds, 1, s_maxTokenSeconds),
            ("software_statement.uses", policy.SoftwareStatement?.Uses, 1, MaxUses),
            ("max_inline_keys", policy.MaxInlineKeys, 1, PublicKeySet.MaxKeys),
            ("max_live_clients", policy.MaxLiveClients, 0, MaxClients),
            ("max_registrations_per_hour", policy.MaxRegistrationsPerHour, 0, MaxClients),
            ("client_lifetime_seconds", policy.ClientLifetimeSeconds, MinLifeSeconds, MaxLifeSeconds),
            ("idle_lifetime_seconds", policy.IdleLifetimeSeconds, MinIdleSeconds, MaxIdleSeconds),
        ];
        return numbers.Where(number => number.Value < number.Min || number.Value > number.Max).Select(
            number => $"{number.Name}: must be from {number.Min} to {number.Max}.");
    }

    /// <summary>Lists that restrict nothing where they are left out. An empty one reads like "none", and would mean "any".</summary>
    private static IEnumerable<string> EmptyFaults(RegistrationPolicy policy)
    {
        IEnumerable<(string Name, IReadOnlyList<string>? List)> lists =
        [
            ("signing_algs", policy.SigningAlgs),
            ("jwks_uri_hosts", policy.JwksUriHosts),
            ("redirect_uri_hosts", policy.RedirectUriHosts),
            ("grant_types.allowed", policy.GrantTypes?.Allowed),
            ("grant_types.default", policy.GrantTypes?.Default),
            .. (policy.SoftwareStatement?.Issuers ?? []).Select(
                (issuer, i) => ($"software_statement.issuers[{i}].software_ids", issuer.SoftwareIds)),
        ];
        return lists.Where(list => list.List is { Count: 0 }).Select(
            list => $"{list.Name}: must not be empty; leave it out to restrict nothing.");
    }

    private static IEnumerable<string> ScopeFaults(ScopePolicy? policy) => policy is null ? [] :
    [
        .. policy.Allowed.Concat(policy.Default)
            .Where(token => !ScopeTokens.IsToken(token))
            .Distinct()
            .Select(token => $"scope: '{token}' is no scope token (RFC 6749 section 3.3)."),
        .. policy.Default.Except(policy.Allowed).Select(excess => $"scope.default: '{excess}' is not among scope.allowed."),
    ];

    private static IEnumerable<string> ResourceFaults(ResourcePolicy? policy) => policy is null ? [] :
    [
        .. ListFaults("resources", [.. policy.Allowed.Concat(policy.Default).Distinct()], Resource.Fault),
        .. policy.Default.Except(policy.Allowed).Select(excess => $"resources.default: '{excess}' is not among resources.allowed."),
    ];

    private static IEnumerable<string> GrantTypeFaults(GrantTypePolicy? policy) => policy is null ? [] :
    [
        .. (policy.Allowed ?? [])
            .Concat(policy.Default ?? [])
            .Except(GrantTypes.All)
            .Select(type => $"grant_types: '{type}' cannot be registered; {string.Join(' ', GrantTypes.All)} can."),
        .. policy.Allowed is not { Count: > 0 } allowed
            ? []
            : (policy.Default ?? []).Except(allowed).Select(excess => $"grant_types.default: '{excess}' is not among grant_types.allowed."),
    ];

    private static IEnumerable<string> ListFaults(string name, IReadOnlyList<string>? list, Func<string, string?> fault)
    {
        if (list?.Count > MaxEntries)
        {
            return [$"{name}: more than {MaxEntries} entries."];
        }
        return (list ?? [])
            .Select(entry => (entry, fault: fault(entry)))
            .Where(found => found.fault is not null)
            .Select(found => $"{name}: '{found.entry}' {found.fault}");
    }

    private static IEnumerable<string> StatementFaults(SoftwareStatementPolicy? policy, JwksOptions options, IssuerUrls urls) =>
        policy is null ? [] :
    [
        .. policy.Mode == SoftwareStatementMode.None || policy.Issuers.Count > 0
            ? Array.Empty<string>()
            : ["software_statement.issuers: name at least one."],
        .. IssuerFaults("software_statement.issuers", policy.Issuers, options, urls),
        .. policy.Issuers.SelectMany((issuer, i) => ListFaults(
            $"software_statement.issuers[{i}].software_ids", issuer.SoftwareIds, id =>
                id.Length is 0 or > MaxIssuer ? $"must be 1 to {MaxIssuer} characters." : null)),
    ];

    private static IEnumerable<string> AttestationFaults(AttestationPolicy? policy, JwksOptions options, IssuerUrls urls) =>
        policy is null ? [] :
    [
        .. policy.Mode == Requirement.Off || policy.Attesters.Count > 0
            ? Array.Empty<string>()
            : ["attestation.attesters: name at least one."],
        .. IssuerFaults("attestation.attesters", policy.Attesters, options, urls),
    ];

    private static IEnumerable<string> IssuerFaults(
        string path, IReadOnlyList<ITrustedIssuer> issuers, JwksOptions options, IssuerUrls urls)
    {
        if (issuers.Count > MaxEntries)
        {
            yield return $"{path}: more than {MaxEntries} entries.";
        }
        foreach (var twice in issuers.GroupBy(issuer => issuer.Issuer).Where(group => group.Count() > 1))
        {
            yield return $"{path}: '{twice.Key}' appears {twice.Count()} times.";
        }
        for (var i = 0; i < issuers.Count; i++)
        {
            if (issuers[i].Issuer.Length is 0 or > MaxIssuer)
            {
                yield return $"{path}[{i}].issuer: must be 1 to {MaxIssuer} characters.";
            }
            if (issuers[i].Jwks is null == issuers[i].JwksUri is null)
            {
                yield return $"{path}[{i}]: needs jwks or jwks_uri, and not both.";
            }
            else if (issuers[i].Jwks is { } jwks && PublicKeySet.ReadForRegistration(jwks, out var weak) is null)
            {
                yield return $"{path}[{i}].jwks: {weak}";
            }
            else if (issuers[i].JwksUri is { } uri && JwksUri.Fault(uri, options, urls) is { } fault)
            {
                yield return $"{path}[{i}].jwks_uri: {fault}";
            }
        }
    }

    /// <summary>A template must be good by itself, but for the keys that each client brings.</summary>
    private static IEnumerable<string> DefaultFaults(
        RegistrationPolicy policy, JwksOptions options, IssuerUrls urls, SecurityProfileRules profile)
    {
        if (policy.Defaults is not { } template)
        {
            yield break;
        }
        if (template.Jwks is not null || template.JwksUri is not null || template.SoftwareStatement is not null)
        {
            yield return "defaults: must not hold jwks, jwks_uri or software_statement: each client has its own.";
            yield break;
        }
        var complete = template with
        {
            TokenEndpointAuthMethod = template.TokenEndpointAuthMethod ?? ClientMetadataValidator.PrivateKeyJwt,
            Jwks = new JwkSet { Keys = [] },
        };
        var unknown = (template.Others ?? [])
            .Where(member => member.Value.ValueKind != JsonValueKind.Null && !HumanReadableMembers.IsTagged(member.Key));
        foreach (var (name, _) in unknown)
        {
            yield return $"defaults.{name}: unknown member of client metadata.";
        }
        foreach (var error in new ClientMetadataValidator(options, urls, profile).Validate(complete).Errors)
        {
            yield return $"defaults.{error.ErrorMessage}";
        }
        foreach (var excess in RegistrationCeiling.Faults(complete with { Jwks = null }, policy))
        {
            yield return $"defaults.{excess.Message}";
        }
    }
}
