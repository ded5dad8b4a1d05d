using System.Net;
using Dcr.Protocol;

namespace Dcr.Keys;

/// <summary>What may be registered as <c>jwks_uri</c>, before anything is looked up.</summary>
internal static class JwksUri
{
    private const int MaxLength = 2048;

    /// <summary>Null when the URI may be registered: that of a set that this server hosts, or one that may be fetched.</summary>
    public static string? Fault(string text, JwksOptions options, IssuerUrls urls) =>
        urls.HostedKeySetId(text) is not null ? null : Fault(text, options) ?? (urls.IsHere(text) ? HostedKeySets.WrongSpelling : null);

    /// <summary>Null when the URI may be fetched, as far as its text tells.</summary>
    public static string? Fault(string text, JwksOptions options)
    {
        if (text.Length > MaxLength || !Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http"))
        {
            return $"must be an absolute https URL of at most {MaxLength} characters.";
        }
        if (uri.Scheme == "http" && !options.AllowHttp)
        {
            return "must be https.";
        }
        if (text.Contains('@', StringComparison.Ordinal) && text.IndexOf('@', StringComparison.Ordinal) < AuthorityEnd(text))
        {
            return "must have no user information.";
        }
        if (text.Contains('#', StringComparison.Ordinal))
        {
            return "must have no fragment.";
        }
        if (text.Any(c => c is '\\' or <= ' ' or '\x7f'))
        {
            return "must have a port other than 0, and no white space or backslash.";
        }
        if (UriText.Fault(text) is { } fault)
        {
            return fault;
        }
        if (uri.Port == 0)
        {
            return "must have a port other than 0, and no white space or backslash.";
        }
        return !options.AllowPrivateNetworks && !IsHostName(uri) ? "must have a host name, not an IP address." : null;
    }

    private static int AuthorityEnd(string text)
    {
        var start = text.IndexOf("//", StringComparison.Ordinal) + 2;
        var end = text.AsSpan(start).IndexOfAny('/', '?', '#');
        return end < 0 ? text.Length : start + end;
    }

    /// <summary>
    /// A name that ends in a label with a letter. Uri reads 2130706433, 0177.0.0.1 and 0x7f.1 as the addresses they
    /// spell, so those are seen here as what they are; the last label stops whatever another reader might still take for one.
    /// </summary>
    private static bool IsHostName(Uri uri) =>
        uri.HostNameType == UriHostNameType.Dns
        && !IPAddress.TryParse(uri.Host, out _)
        && uri.IdnHost.TrimEnd('.').Split('.')[^1] is { Length: > 0 } last
        && last.Any(char.IsAsciiLetter)
        && !last.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
}
