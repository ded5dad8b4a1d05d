using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Dcr.Protocol;

/// <summary>The token of the Authorization header (RFC 6750 section 2.1): the one place it is accepted in.</summary>
internal static class BearerToken
{
    private const string Scheme = "Bearer ";

    // RFC 6750 section 2.1: b64token.
    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    /// <summary>Null when the request carries no well-formed bearer token, or more than one Authorization header.</summary>
    public static string? Read(HttpRequest request)
    {
        if (request.Headers.Authorization is not [{ } header] || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }
        var token = header.AsSpan(Scheme.Length).Trim(' ');
        return token.IsEmpty || token.ContainsAnyExcept(s_allowed) ? null : token.ToString();
    }
}
