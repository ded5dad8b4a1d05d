using Dcr.Protocol;

namespace Dcr.AccessTokens;

/// <summary>The access tokens that routes of this server need.</summary>
internal static class NeededAccessTokens
{
    public static readonly NeededToken Initial = new(
        "an initial access token, with scope dcr",
        AccessTokenAuthentication.SchemeName,
        AccessTokenAuthentication.GrantedClaim,
        ScopeTokens.Registration);

    public static readonly NeededToken Administrator = new(
        "an access token with scope dcr.admin",
        AccessTokenAuthentication.SchemeName,
        AccessTokenAuthentication.GrantedClaim,
        ScopeTokens.Administration);
}
