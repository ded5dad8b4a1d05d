using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.Keys;

/// <summary>One of the server's own keys, ready to sign and to verify with.</summary>
internal sealed class SigningKey
{
    private readonly ECDsaSecurityKey _key;

    private SigningKey(string kid, string alg, ECDsaSecurityKey key)
    {
        Kid = kid;
        Alg = alg;
        _key = key;
        Credentials = new SigningCredentials(key, alg);
    }

    public string Kid { get; }

    public string Alg { get; }

    public SigningCredentials Credentials { get; }

    public SecurityKey VerificationKey => _key;

    /// <summary>Makes a P-256 key for ES256: small tokens, fast to sign, verified by every JWT library.</summary>
    public static SigningKey Generate() => Of(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    public static SigningKey Import(ReadOnlySpan<byte> pkcs8)
    {
        var ecdsa = ECDsa.Create();
        ecdsa.ImportPkcs8PrivateKey(pkcs8, out _);
        return Of(ecdsa);
    }

    public byte[] ExportPkcs8() => _key.ECDsa.ExportPkcs8PrivateKey();

    public PublicSigningKey ToPublic()
    {
        var point = _key.ECDsa.ExportParameters(includePrivateParameters: false).Q;
        return new PublicSigningKey
        {
            Kid = Kid,
            Alg = Alg,
            X = Base64Url.EncodeToString(point.X),
            Y = Base64Url.EncodeToString(point.Y),
        };
    }

    private static SigningKey Of(ECDsa ecdsa)
    {
        var key = new ECDsaSecurityKey(ecdsa);
        // RFC 7638: the thumbprint names the key, so that no two keys ever share a kid.
        key.KeyId = Base64Url.EncodeToString(key.ComputeJwkThumbprint());
        return new SigningKey(key.KeyId, SecurityAlgorithms.EcdsaSha256, key);
    }
}

/// <summary>A signing key as RFC 7517 publishes it: the public part only, by construction.</summary>
public sealed record PublicSigningKey
{
    [JsonPropertyName("kty")]
    public string Kty { get; } = "EC";

    [JsonPropertyName("use")]
    public string Use { get; } = "sig";

    [JsonPropertyName("crv")]
    public string Crv { get; } = "P-256";

    [JsonPropertyName("kid")]
    public required string Kid { get; init; }

    [JsonPropertyName("alg")]
    public required string Alg { get; init; }

    [JsonPropertyName("x")]
    public required string X { get; init; }

    [JsonPropertyName("y")]
    public required string Y { get; init; }
}
