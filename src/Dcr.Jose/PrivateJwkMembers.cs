namespace Dcr.Jose;

/// <summary>
/// The members by which a JWK shows private or symmetric material: those that the registry of JWK parameters calls private. One
/// list for server, libraries and command.
/// </summary>
public static class PrivateJwkMembers
{
    /// <summary>By the key type that each is registered for.</summary>
    private static readonly (string Kty, string[] Members)[] s_byType =
    [
        ("EC", ["d"]), // RFC 7518 section 6.2.2
        ("RSA", ["d", "p", "q", "dp", "dq", "qi", "oth"]), // section 6.3.2
        ("oct", ["k"]), // section 6.4
        ("OKP", ["d"]), // RFC 8037 section 2
        ("AKP", ["priv"]), // RFC 9964 section 3
    ];

    /// <summary>In a key of whatever type: a member that is out of place there is no less a leak.</summary>
    public static readonly IReadOnlyList<string> All = [.. s_byType.SelectMany(type => type.Members).Distinct()];
}
