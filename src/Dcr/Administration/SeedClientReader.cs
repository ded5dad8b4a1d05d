using System.Text.Json;
using Dcr.ClientAuthentication;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.Registration;

namespace Dcr.Administration;

/// <summary>One entry of the seed file, checked and completed.</summary>
internal sealed record SeededClient(string ClientId, ClientMetadata Metadata, RegistrationPolicy? Policy, AssertionAudienceRule? AssertionAudienceRule);

/// <summary>Checks one entry of the seed file by the rules of a registration; the operator may give any scope.</summary>
internal static class SeedClientReader
{
    private const int MaxClientId = 256;

    /// <summary>Null, with the faults, when the entry cannot be used.</summary>
    public static SeededClient? Read(SeedClient seed, ClientMetadataValidator validator, out IReadOnlyList<string> faults)
    {
        var found = new List<string>();
        if (seed.ClientId.Length is 0 or > MaxClientId || seed.ClientId.Any(c => c is < '!' or > '~' or '/' or '\\'))
        {
            found.Add($"client_id: must be 1 to {MaxClientId} printable ASCII characters without space, slash and backslash.");
        }
        found.AddRange(validator.Validate(seed).Errors.Select(error => error.ErrorMessage));
        var jwks = seed.Jwks is null ? null : ReadKeys(seed.Jwks, found);
        var policy = ReadPolicy(seed.RegistrationPolicy, found);
        if (policy is null && ScopeTokens.Split(seed.Scope).Contains(ScopeTokens.Registration))
        {
            found.Add("registration_policy: needed with the scope dcr.");
        }
        faults = found;
        return found.Count > 0 ? null : new SeededClient(seed.ClientId, Complete(seed, jwks), policy, seed.AssertionAudienceRule);
    }

    private static JwkSet? ReadKeys(JwkSet jwks, List<string> faults)
    {
        var read = ClientKeySet.ReadForRegistration(jwks);
        if (!read.IsSuccess)
        {
            faults.Add(read.Error.Description);
            return null;
        }
        return read.Value.ToJwkSet();
    }

    private static RegistrationPolicy? ReadPolicy(JsonElement? sent, List<string> faults)
    {
        if (sent is not { ValueKind: JsonValueKind.Object } element)
        {
            return null;
        }
        try
        {
            // Members that are not in force are refused, never ignored; a null says nothing and is let pass.
            var policy = element.Deserialize(DcrJson.Default.RegistrationPolicy)!;
            foreach (var member in policy.NotInForce ?? [])
            {
                if (member.Value.ValueKind != JsonValueKind.Null)
                {
                    faults.Add($"registration_policy.{member.Key}: not in force in this version.");
                }
            }
            faults.AddRange(RegistrationPolicyRules.Faults(policy));
            return policy with { NotInForce = null };
        }
        catch (JsonException exception)
        {
            faults.Add($"registration_policy: {exception.Message}");
            return null;
        }
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
        Others = HumanReadableMembers.Keep(seed.Others),
    };
}
