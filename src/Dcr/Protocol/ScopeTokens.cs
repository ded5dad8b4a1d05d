using System.Buffers;

namespace Dcr.Protocol;

/// <summary>Scope values (RFC 6749 section 3.3): space-separated, case-sensitive, order without meaning.</summary>
internal static class ScopeTokens
{
    /// <summary>May register clients; its token is an initial access token (RFC 7591 section 3).</summary>
    public const string Registration = "dcr";

    /// <summary>May use the admin API.</summary>
    public const string Administration = "dcr.admin";

    /// <summary>May introspect tokens (RFC 7662). Asked of the client at that endpoint, not of a token.</summary>
    public const string Introspection = "introspect";

    public const int MaxLength = 2048;

    // RFC 6749 section 3.3: NQCHAR, which is printable ASCII without space, double quote and backslash.
    private static readonly SearchValues<char> s_allowed = SearchValues.Create(
        [.. Enumerable.Range(0x21, 0x5e).Select(c => (char)c).Where(c => c is not '"' and not '\\')]);

    /// <summary>Its token is for one endpoint of this server and carries nothing else.</summary>
    public static bool StandsAlone(string scope) => scope is Registration or Administration;

    public static IReadOnlyList<string> Split(string? scope) =>
        scope is null ? [] : [.. scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal)];

    public static string Join(IEnumerable<string> tokens) => string.Join(' ', tokens);

    public static bool IsWellFormed(string scope) =>
        scope.Length <= MaxLength && !scope.AsSpan().ContainsAnyExcept(s_allowed, ' ');

    public static bool IsToken(string token) => token.Length is > 0 and <= 256 && !token.AsSpan().ContainsAnyExcept(s_allowed);

    private static bool ContainsAnyExcept(this ReadOnlySpan<char> text, SearchValues<char> allowed, char also)
    {
        foreach (var c in text)
        {
            if (c != also && !allowed.Contains(c))
            {
                return true;
            }
        }
        return false;
    }
}
