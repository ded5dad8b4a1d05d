namespace Dcr.Protocol;

/// <summary>Grant types that a client may register. This server's own token endpoint serves the first.</summary>
internal static class GrantTypes
{
    public const string ClientCredentials = "client_credentials";
    public const string AuthorizationCode = "authorization_code";
    public const string RefreshToken = "refresh_token";

    public static readonly IReadOnlyList<string> All = [ClientCredentials, AuthorizationCode, RefreshToken];
}
