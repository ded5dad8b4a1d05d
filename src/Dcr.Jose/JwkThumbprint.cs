using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Dcr.Jose;

/// <summary>
/// The SHA-256 thumbprint of a public key (RFC 7638), base64url: of the required members alone, in lexicographic order, so that
/// one key has one thumbprint under whatever name. The members are given as the JWK has them.
/// </summary>
public static class JwkThumbprint
{
    /// <summary>RFC 7638 section 3.2.</summary>
    public static string OfEc(string? crv, string? x, string? y) => Of($$"""{"crv":"{{crv}}","kty":"EC","x":"{{x}}","y":"{{y}}"}""");

    /// <summary>RFC 7638 section 3.2.</summary>
    public static string OfRsa(string? n, string? e) => Of($$"""{"e":"{{e}}","kty":"RSA","n":"{{n}}"}""");

    private static string Of(string canonical) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)));
}
