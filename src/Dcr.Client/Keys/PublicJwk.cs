using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Dcr.Jose;

namespace Dcr.Client;

/// <summary>
/// A public key as a JWK (RFC 7517). There is no member for anything private, so none can get out by mistake.
/// </summary>
public sealed record PublicJwk
{
    /// <summary><c>EC</c> or <c>RSA</c>.</summary>
    [JsonPropertyName("kty")]
    public required string Kty { get; init; }

    /// <summary>The name that assertions call the key by. The factories here take the RFC 7638 thumbprint.</summary>
    [JsonPropertyName("kid")]
    public string? Kid { get; init; }

    /// <summary><c>sig</c>.</summary>
    [JsonPropertyName("use")]
    public string? Use { get; init; }

    /// <summary>The one algorithm of the key, such as <c>ES256</c>.</summary>
    [JsonPropertyName("alg")]
    public string? Alg { get; init; }

    /// <summary>The curve of an EC key: <c>P-256</c>, <c>P-384</c> or <c>P-521</c>.</summary>
    [JsonPropertyName("crv")]
    public string? Crv { get; init; }

    /// <summary>A coordinate of an EC key, base64url.</summary>
    [JsonPropertyName("x")]
    public string? X { get; init; }

    /// <summary>A coordinate of an EC key, base64url.</summary>
    [JsonPropertyName("y")]
    public string? Y { get; init; }

    /// <summary>The modulus of an RSA key, base64url.</summary>
    [JsonPropertyName("n")]
    public string? N { get; init; }

    /// <summary>The exponent of an RSA key, base64url.</summary>
    [JsonPropertyName("e")]
    public string? E { get; init; }

    /// <summary>The public half of a key on P-256, P-384 or P-521.</summary>
    /// <param name="key">Any handle; only its public half is read.</param>
    /// <param name="kid">Null: the thumbprint of RFC 7638.</param>
    /// <exception cref="CryptographicException">The key is on another curve.</exception>
    public static PublicJwk FromECDsa(ECDsa key, string? kid = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        var point = key.ExportParameters(includePrivateParameters: false);
        var (crv, algorithm) = KeyRules.CurveOf(point.Curve);
        return new PublicJwk
        {
            Kty = "EC",
            Use = "sig",
            Alg = algorithm.ToString(),
            Crv = crv,
            X = Base64Url.EncodeToString(point.Q.X),
            Y = Base64Url.EncodeToString(point.Q.Y),
        }.Named(kid);
    }

    /// <summary>The public half of an RSA key of 2048 to 8192 bits.</summary>
    /// <param name="key">Any handle; only its public half is read.</param>
    /// <param name="algorithm">How it signs; one of the PS and RS algorithms.</param>
    /// <param name="kid">Null: the thumbprint of RFC 7638.</param>
    /// <exception cref="CryptographicException">The key is too weak, or the algorithm is none for RSA.</exception>
    public static PublicJwk FromRsa(RSA key, SigningAlgorithm algorithm = SigningAlgorithm.PS256, string? kid = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        var parameters = key.ExportParameters(includePrivateParameters: false);
        KeyRules.CheckRsa(parameters, algorithm);
        return new PublicJwk
        {
            Kty = "RSA",
            Use = "sig",
            Alg = algorithm.ToString(),
            N = Base64Url.EncodeToString(parameters.Modulus),
            E = Base64Url.EncodeToString(parameters.Exponent),
        }.Named(kid);
    }

    /// <summary>The SHA-256 thumbprint of RFC 7638, base64url: the same for one key under whatever <see cref="Kid"/>.</summary>
    public string Thumbprint() => Kty == "EC" ? JwkThumbprint.OfEc(Crv, X, Y) : JwkThumbprint.OfRsa(N, E);

    /// <summary>As JSON, to be shown to anybody.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, DcrClientJson.Default.PublicJwk);

    private PublicJwk Named(string? kid) => this with { Kid = kid ?? Thumbprint() };
}
