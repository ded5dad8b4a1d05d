using System.Text.Json.Serialization.Metadata;
using Dcr.AccessTokens;
using Dcr.Administration;
using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Discovery;
using Dcr.Keys;
using Dcr.Onboarding;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.SigningKeys;

namespace Dcr;

public static class DcrJson
{
    /// <summary>How each type of the wire is read and written, for whoever describes the routes.</summary>
    public static IReadOnlyList<IJsonTypeInfoResolver> Resolvers { get; } =
    [
        ProtocolJson.Default, AuditingJson.Default, SigningKeysJson.Default, KeysJson.Default, ClientsJson.Default,
        AccessTokensJson.Default, RegistrationJson.Default, BulkJson.Default, OnboardingJson.Default, AdministrationJson.Default,
        DiscoveryJson.Default,
    ];
}
