using System.Net;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>
/// What may be registered as a redirect URI: https; http on a loopback address (RFC 8252 section 7.3); a private-use
/// scheme in reverse domain form (section 7.1). Never a fragment (RFC 6749 section 3.1.2) or user information.
/// </summary>
internal static class RedirectUri
{
    private const int MaxLength = 2048;

    /// <summary>Null when the text may be registered.</summary>
    public static string? Fault(string? text)
    {
        if (text is null || text.Length > MaxLength || !Uri.TryCreate(text, UriKind.Absolute, out var uri))
        {
            return "is not an absolute URI of at most 2048 characters.";
        }
        if (text.Contains('#', StringComparison.Ordinal))
        {
            return "has a fragment (RFC 6749 section 3.1.2).";
        }
        if (text.Contains('*', StringComparison.Ordinal) || text.Contains('\\', StringComparison.Ordinal) || text.Any(char.IsWhiteSpace))
        {
            return "has a wildcard, a backslash or white space; redirect URIs are compared as exact strings.";
        }
        if (UriText.Fault(text) is { } fault)
        {
            return fault;
        }
        if (uri.UserInfo.Length > 0)
        {
            return "has user information.";
        }
        return uri.Scheme switch
        {
            "https" => uri.Host.Length > 0 ? null : "has no host.",
            "http" => IsLoopbackAddress(uri) ? null : "must be https; http is for 127.0.0.1 and [::1] only (RFC 8252 section 7.3).",
            // A dot: reverse domain form, which also shuts out javascript, data, file and other schemes that act.
            var scheme => scheme.Contains('.', StringComparison.Ordinal)
                ? null
                : "must be https, or a private-use scheme with a domain name in it (RFC 8252 section 7.1).",
        };
    }

    // An address, not localhost: a name can be made to point elsewhere.
    private static bool IsLoopbackAddress(Uri uri) =>
        IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address);
}
