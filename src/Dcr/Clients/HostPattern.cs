using System.Text;
using Dcr.Protocol;

namespace Dcr.Clients;

/// <summary>A host name, or <c>*.</c> and a name for every host below it (not for the name itself).</summary>
internal static class HostPattern
{
    private const string AnyBelow = "*.";

    /// <summary>Null when the text is such a pattern.</summary>
    public static string? Fault(string pattern)
    {
        var name = pattern.StartsWith(AnyBelow, StringComparison.Ordinal) ? pattern[AnyBelow.Length..] : pattern;
        return name.Length is > 0 and <= 253 && Ascii.IsValid(name) && Uri.CheckHostName(name) != UriHostNameType.Unknown
            ? null
            : "must be a host name, or *. and a host name; an international one in its xn-- form.";
    }

    /// <summary>Empty patterns match every host.</summary>
    public static bool Allows(IReadOnlyList<string>? patterns, string uri) =>
        patterns is not { Count: > 0 }
        || (
            UriText.Fault(uri) is null
                && Uri.TryCreate(uri, UriKind.Absolute, out var parsed)
                && parsed.IdnHost is { Length: > 0 } host
                && patterns.Any(pattern => Matches(pattern, host.TrimEnd('.'))));

    private static bool Matches(string pattern, string host) => pattern.StartsWith(AnyBelow, StringComparison.Ordinal)
        ? host.Length > pattern.Length - 1 && host.EndsWith(pattern[1..], StringComparison.OrdinalIgnoreCase)
        : host.Equals(pattern, StringComparison.OrdinalIgnoreCase);
}
