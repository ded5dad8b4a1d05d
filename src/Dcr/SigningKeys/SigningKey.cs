using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.SigningKeys;

/// <summary>One of the server's own keys, ready to sign and to verify with.</summary>
internal sealed class SigningKey
{
    // Signs for some months only; larger keys would make every token larger and slower.
    private const int RsaBits = 2048;

    private readonly AsymmetricAlgorithm _algorithm;

    private SigningKey(string alg, AsymmetricAlgorithm algorithm)
    {
        Alg = alg;
        _algorithm = algorithm;
        VerificationKey = algorithm is ECDsa ecdsa ? new ECDsaSecurityKey(ecdsa) : new RsaSecurityKey((RSA)algorithm);
        // RFC 7638: the thumbprint names the key, so that no two keys ever share a kid.
        Kid = Base64Url.EncodeToString(VerificationKey.ComputeJwkThumbprint());
        VerificationKey.KeyId = Kid;
        Credentials = new SigningCredentials(VerificationKey, alg);
    }

    public string Kid { get; }

    public string Alg { get; }

    public SigningCredentials Credentials { get; }

    public SecurityKey VerificationKey { get; }

    /// <param name="alg">One of <see cref="SigningKeyOptions.Algorithms"/>.</param>
    public static SigningKey Generate(string alg) =>
        new(alg, alg == SecurityAlgorithms.EcdsaSha256 ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : RSA.Create(RsaBits));

    public static SigningKey Import(string alg, ReadOnlySpan<byte> pkcs8)
    {
        AsymmetricAlgorithm algorithm = alg == SecurityAlgorithms.EcdsaSha256 ? ECDsa.Create() : RSA.Create();
        algorithm.ImportPkcs8PrivateKey(pkcs8, out _);
        return new SigningKey(alg, algorithm);
    }

    public byte[] ExportPkcs8() => _algorithm.ExportPkcs8PrivateKey();

    public PublicSigningKey ToPublic()
    {
        if (_algorithm is ECDsa ecdsa)
        {
            var point = ecdsa.ExportParameters(includePrivateParameters: false).Q;
            return new PublicSigningKey
            {
                Kty = "EC",
                Kid = Kid,
                Alg = Alg,
                Crv = "P-256",
                X = Base64Url.EncodeToString(point.X),
                Y = Base64Url.EncodeToString(point.Y),
            };
        }
        var rsa = ((RSA)_algorithm).ExportParameters(includePrivateParameters: false);
        return new PublicSigningKey
        {
            Kty = "RSA",
            Kid = Kid,
            Alg = Alg,
            N = Base64Url.EncodeToString(rsa.Modulus),
            E = Base64Url.EncodeToString(rsa.Exponent),
        };
    }
}

/// <summary>A signing key as RFC 7517 publishes it: the public part only, by construction.</summary>
public sealed record PublicSigningKey
{
    [JsonPropertyName("kty")]
    public required string Kty { get; init; }

    [JsonPropertyName("use")]
    public string Use { get; } = "sig";

    [JsonPropertyName("kid")]
    public required string Kid { get; init; }

    [JsonPropertyName("alg")]
    public required string Alg { get; init; }

    [JsonPropertyName("crv")]
    public string? Crv { get; init; }

    [JsonPropertyName("x")]
    public string? X { get; init; }

    [JsonPropertyName("y")]
    public string? Y { get; init; }

    [JsonPropertyName("n")]
    public string? N { get; init; }

    [JsonPropertyName("e")]
    public string? E { get; init; }
}
