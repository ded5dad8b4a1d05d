namespace Dcr.Jose;

/// <summary>The JWS algorithms a client may sign with (RFC 7518 section 3.1): an allow list, compared exactly.</summary>
internal static class JwsAlgorithms
{
    /// <summary>
    /// Strongest habits first, RS256 for the profile that demands it (RFC 7523 section 5). No EdDSA: the platform has none.
    /// </summary>
    public static readonly IReadOnlyList<string> Supported =
        ["PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "RS256", "RS384", "RS512"];

    public static bool IsSupported(string alg) => Supported.Contains(alg, StringComparer.Ordinal);
}
