using System.Security.Cryptography;

namespace Dcr.Client;

/// <summary>Which keys are worth using: those that the server accepts.</summary>
internal static class KeyRules
{
    private const int MinRsaBits = 2048;
    private const int MaxRsaBits = 8192;

    public static (string Crv, SigningAlgorithm Algorithm) CurveOf(ECCurve curve) =>
        (curve.IsNamed ? curve.Oid.Value ?? curve.Oid.FriendlyName : null) switch
        {
            "1.2.840.10045.3.1.7" or "nistP256" or "ECDSA_P256" => ("P-256", SigningAlgorithm.ES256),
            "1.3.132.0.34" or "nistP384" or "ECDSA_P384" => ("P-384", SigningAlgorithm.ES384),
            "1.3.132.0.35" or "nistP521" or "ECDSA_P521" => ("P-521", SigningAlgorithm.ES512),
            _ => throw new CryptographicException(
                $"The key is on the curve {curve.Oid?.FriendlyName ?? "of its own parameters"}; only P-256, P-384 and P-521 are "
                    + "accepted. Make a new key, best on P-256."),
        };

    /// <summary>What goes with one of the three curves by its JWK name. Null: another curve.</summary>
    public static (ECCurve Curve, int Size)? CurveOf(string? crv) => crv switch
    {
        "P-256" => (ECCurve.NamedCurves.nistP256, 32),
        "P-384" => (ECCurve.NamedCurves.nistP384, 48),
        "P-521" => (ECCurve.NamedCurves.nistP521, 66),
        _ => null,
    };

    public static void CheckRsa(RSAParameters parameters, SigningAlgorithm algorithm)
    {
        if (IsEllipticCurve(algorithm))
        {
            throw new CryptographicException($"{algorithm} does not go with an RSA key; use PS256.");
        }
        var bits = BitLength(parameters.Modulus!);
        if (bits is < MinRsaBits or > MaxRsaBits)
        {
            throw new CryptographicException(
                $"The RSA key has {bits} bits; {MinRsaBits} to {MaxRsaBits} are accepted. Make a new key, best an EC key on P-256.");
        }
        // RFC 7518 sets no bound; below 65537 is what the server refuses.
        var exponent = parameters.Exponent!;
        if (BitLength(exponent) is < 17 or > 32 || (exponent[^1] & 1) == 0)
        {
            throw new CryptographicException("The exponent of the RSA key must be odd and between 65537 and 2^32-1. Make a new key.");
        }
    }

    public static bool IsEllipticCurve(SigningAlgorithm algorithm) =>
        algorithm is SigningAlgorithm.ES256 or SigningAlgorithm.ES384 or SigningAlgorithm.ES512;

    public static HashAlgorithmName HashOf(SigningAlgorithm algorithm) => algorithm switch
    {
        SigningAlgorithm.ES256 or SigningAlgorithm.PS256 or SigningAlgorithm.RS256 => HashAlgorithmName.SHA256,
        SigningAlgorithm.ES384 or SigningAlgorithm.PS384 or SigningAlgorithm.RS384 => HashAlgorithmName.SHA384,
        _ => HashAlgorithmName.SHA512,
    };

    public static RSASignaturePadding PaddingOf(SigningAlgorithm algorithm) =>
        algorithm is SigningAlgorithm.PS256 or SigningAlgorithm.PS384 or SigningAlgorithm.PS512
            ? RSASignaturePadding.Pss
            : RSASignaturePadding.Pkcs1;

    private static int BitLength(ReadOnlySpan<byte> bigEndian)
    {
        var digits = bigEndian.TrimStart((byte)0);
        return digits.IsEmpty ? 0 : digits.Length * 8 - int.LeadingZeroCount(digits[0]) + 24;
    }
}
