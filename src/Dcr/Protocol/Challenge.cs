namespace Dcr.Protocol;

/// <summary>The WWW-Authenticate header of a refusal.</summary>
internal static class Challenge
{
    /// <summary>RFC 6750 section 3; without an error code when no token was sent (section 3.1).</summary>
    public static string Bearer(string realm, OAuthError? error = null, string? scope = null) =>
        $"{BearerToken.Bearer} realm=\"{realm}\"{Parameters(error, scope)}";

    /// <summary>RFC 9449 section 7.1: the same for a token that is bound to a key, with the algorithms a proof may use.</summary>
    public static string Dpop(string realm, string algs, OAuthError? error = null, string? scope = null) =>
        $"{BearerToken.Dpop} realm=\"{realm}\"{Parameters(error, scope)}, algs=\"{algs}\"";

    /// <summary>
    /// RFC 9110 section 15.5.2 wants a challenge on every 401; client assertions have no registered scheme, so this
    /// names the method. It says why as well: there are client libraries that stop at this header and never read the
    /// body. A client that tried Basic is answered in kind (RFC 6749 section 5.2).
    /// </summary>
    public static string ClientAuthentication(string realm, bool triedBasic, OAuthError error) =>
        triedBasic ? $"Basic realm=\"{realm}\"" : $"private_key_jwt realm=\"{realm}\"{Parameters(error, scope: null)}";

    private static string Parameters(OAuthError? error, string? scope) =>
        (error is null ? "" : $", error=\"{error.Code}\", error_description=\"{OAuthErrorResult.Printable(error.Description)}\"")
        + (scope is null ? "" : $", scope=\"{scope}\"");
}
