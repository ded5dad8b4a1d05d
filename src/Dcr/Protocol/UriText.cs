using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Dcr.Protocol;

/// <summary>
/// Absolute URIs by the letter of RFC 3986, with the host of http and https an ASCII name or an IP address. <see cref="Uri"/> takes far
/// more, and another reader may take that for something else: a soft hyphen, a mark that turns the direction of writing, an address
/// with 257 in it; some of it throws when its host is asked for.
/// </summary>
internal static class UriText
{
    private const int MaxHost = 253;
    private const int MaxLabel = 63;

    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:/?#[]@!$&'()*+,;=%");

    private static readonly SearchValues<char> s_label = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    private static readonly IdnMapping s_international = new();

    /// <summary>Null when the text is such a URI.</summary>
    public static string? Fault(string text)
    {
        if (text.AsSpan().ContainsAnyExcept(s_allowed) || !IsPercentEncoded(text))
        {
            return "is no URI of RFC 3986: other characters are percent-encoded, an international host name is in its xn-- form.";
        }
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var scheme = colon < 0 ? "" : text[..colon];
        if (scheme.Length == 0
            || !char.IsAsciiLetter(scheme[0])
            || !scheme.All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.'))
        {
            return "is no absolute URI.";
        }
        var rest = text.AsSpan(colon + 1);
        var isWeb = scheme.Equals("https", StringComparison.OrdinalIgnoreCase) || scheme.Equals("http", StringComparison.OrdinalIgnoreCase);
        if (!rest.StartsWith("//"))
        {
            return isWeb || rest.ContainsAny('[', ']') ? "is no URI of RFC 3986 with a host." : null;
        }
        rest = rest[2..];
        var end = rest.IndexOfAny('/', '?', '#');
        var authority = end < 0 ? rest : rest[..end];
        // Square brackets are for IP addresses alone, and one # begins the fragment.
        if (end >= 0 && (rest[end..].ContainsAny('[', ']') || rest[end..].Count('#') > 1))
        {
            return "is no URI of RFC 3986: square brackets, and # but for the first, are percent-encoded.";
        }
        return AuthorityFault(authority, isWeb);
    }

    private static string? AuthorityFault(ReadOnlySpan<char> authority, bool isWeb)
    {
        var host = authority[(authority.LastIndexOf('@') + 1)..];
        if (host is ['[', ..])
        {
            var close = host.IndexOf(']');
            return close > 0 && IsIPv6(host[1..close]) && IsPort(host[(close + 1)..])
                ? null
                : "has no valid IP address in square brackets.";
        }
        var colon = host.IndexOf(':');
        if (colon >= 0 && !IsPort(host[colon..]) || host.ContainsAny('[', ']'))
        {
            return "has no valid port.";
        }
        var name = (colon < 0 ? host : host[..colon]).ToString();
        return !isWeb || IsHost(name) ? null : "has no valid host: an ASCII name, or an IP address written in full.";
    }

    // Without a zone, which means something on one machine only.
    private static bool IsIPv6(ReadOnlySpan<char> text) =>
        !text.Contains('%') && IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6;

    private static bool IsPort(ReadOnlySpan<char> text) =>
        text.IsEmpty
            || (
                text[0] == ':'
                    && (text.Length == 1 || (ushort.TryParse(text[1..], NumberStyles.None, CultureInfo.InvariantCulture, out _))));

    private static bool IsHost(string host)
    {
        var name = host.EndsWith('.') ? host[..^1] : host;
        var labels = name.Split('.');
        if (name.Length is 0 or > MaxHost || !labels.All(IsLabel))
        {
            return false;
        }
        // What ends in a number is an address or nothing: readers differ on 0177.0.0.1, 0x7f.1 and 2130706433.
        if (labels[^1].All(char.IsAsciiDigit) || labels[^1].StartsWith("0x", StringComparison.OrdinalIgnoreCase))
        {
            return IPAddress.TryParse(host, out var address)
                && address.AddressFamily == AddressFamily.InterNetwork
                && address.ToString() == host;
        }
        return !labels.Any(label => label.StartsWith("xn--", StringComparison.OrdinalIgnoreCase)) || IsInternational(name);
    }

    private static bool IsLabel(string label) =>
        label.Length is > 0 and <= MaxLabel && !label.AsSpan().ContainsAnyExcept(s_label) && label[0] != '-' && label[^1] != '-';

    private static bool IsInternational(string name)
    {
        try
        {
            return s_international.GetAscii(s_international.GetUnicode(name)).Equals(name, StringComparison.OrdinalIgnoreCase);
        }
        catch (ArgumentException)
        {
            // No Punycode, or of what no name may hold.
            return false;
        }
    }

    private static bool IsPercentEncoded(string text)
    {
        for (var i = text.IndexOf('%', StringComparison.Ordinal); i >= 0; i = text.IndexOf('%', i + 1))
        {
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
            {
                return false;
            }
        }
        return true;
    }
}
