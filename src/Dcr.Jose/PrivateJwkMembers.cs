namespace Dcr.Jose;

/// <summary>The members by which a JWK gives private or shared key material away.</summary>
public static class PrivateJwkMembers
{
    /// <summary>RFC 7518 sections 6.2.2, 6.3.2 and 6.4, RFC 8037 section 2 (<c>d</c>), RFC 9964 (<c>priv</c>).</summary>
    public static readonly IReadOnlyList<string> All = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];
}
