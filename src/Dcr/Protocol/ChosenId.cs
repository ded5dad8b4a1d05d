using System.Buffers;

namespace Dcr.Protocol;

/// <summary>
/// Ids that somebody chooses: of the clients an operator writes down. Each becomes a part of a URL, so each is made of what means itself
/// there.
/// </summary>
internal static class ChosenId
{
    public const int MaxLength = 256;

    private static readonly SearchValues<char> s_allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:@+=");

    /// <summary>Null when the text may be chosen.</summary>
    public static string? Fault(string text) =>
        text.Length is 0 or > MaxLength || text is "." or ".." || text.AsSpan().ContainsAnyExcept(s_allowed)
            || text.StartsWith("https:", StringComparison.OrdinalIgnoreCase)
            ? $"must be 1 to {MaxLength} of the letters, digits and -._~:@+= of ASCII, not be . or .., and not begin with https:."
            : null;
}
