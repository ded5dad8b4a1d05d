using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>What members that were left out mean (RFC 7591 section 2, with this server's defaults).</summary>
internal static class EffectiveMetadata
{
    /// <summary>The RFC's default, authorization_code, is replaced by the grant this server is for.</summary>
    public static IReadOnlyList<string> EffectiveGrantTypes(this ClientMetadata metadata) =>
        metadata.GrantTypes ?? [GrantTypes.ClientCredentials];

    public static bool UsesRedirects(this ClientMetadata metadata) => metadata.EffectiveGrantTypes().Contains(GrantTypes.AuthorizationCode);

    public static IReadOnlyList<string> EffectiveResponseTypes(this ClientMetadata metadata) =>
        metadata.ResponseTypes ?? (metadata.UsesRedirects() ? ["code"] : []);
}
