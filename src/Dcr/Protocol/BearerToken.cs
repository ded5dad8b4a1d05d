using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Dcr.Protocol;

/// <summary>The token of the Authorization header (RFC 6750 section 2.1, RFC 9449 section 7.1): the one place it is accepted in.</summary>
internal static class BearerToken
{
    public const string Bearer = "Bearer";
    public const string Dpop = "DPoP";

    // RFC 6750 section 2.1: b64token, which RFC 9110 calls token68.
    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    /// <summary>Null when the request carries no well-formed token under this scheme, or more than one Authorization header.</summary>
    public static string? Read(HttpRequest request, string scheme = Bearer)
    {
        if (!IsSentAs(request, scheme) || request.Headers.Authorization is not [{ } header])
        {
            return null;
        }
        var token = header.AsSpan(scheme.Length + 1).Trim(' ');
        return token.IsEmpty || token.ContainsAnyExcept(s_allowed) ? null : token.ToString();
    }

    public static bool IsSentAs(HttpRequest request, string scheme) =>
        request.Headers.Authorization is [{ } header, ..]
        && header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) && header.AsSpan(scheme.Length) is [' ', ..];
}
