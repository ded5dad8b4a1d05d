using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Dcr.Client;

/// <summary>A private JWK as read: the key, and what it says about itself (RFC 7517 section 4, RFC 7518 section 6).</summary>
internal sealed record PrivateJwk(AsymmetricAlgorithm Key, SigningAlgorithm? Algorithm, string? Kid)
{
    public static PrivateJwk Read(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var jwk = document.RootElement;
            if (jwk.ValueKind != JsonValueKind.Object)
            {
                throw new CryptographicException("The text is no JWK: it must be one JSON object.");
            }
            if (Text(jwk, "d") is null)
            {
                throw new CryptographicException("The JWK has no member d: it is a public key, or a set of keys, and cannot sign.");
            }
            return new PrivateJwk(
                Text(jwk, "kty") switch
                {
                    "EC" => ReadEc(jwk),
                    "RSA" => ReadRsa(jwk),
                    var kty => throw new CryptographicException($"The JWK is of kty {kty ?? "(none)"}; only EC and RSA are accepted."),
                },
                ReadAlg(Text(jwk, "alg")),
                Text(jwk, "kid"));
        }
        catch (JsonException)
        {
            throw new CryptographicException("The text is no JWK: it is not JSON.");
        }
    }

    private static ECDsa ReadEc(JsonElement jwk)
    {
        var crv = Text(jwk, "crv");
        if (KeyRules.CurveOf(crv) is not var (curve, size))
        {
            throw new CryptographicException($"The JWK is on the curve {crv ?? "(none)"}; only P-256, P-384 and P-521 are accepted.");
        }
        var (x, y, d) = (Bytes(jwk, "x"), Bytes(jwk, "y"), Bytes(jwk, "d"));
        if (x.Length != size || y.Length != size || d.Length != size)
        {
            throw new CryptographicException($"x, y and d of a JWK on {crv} must be {size} bytes each.");
        }
        try
        {
            return ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = x, Y = y }, D = d });
        }
        catch (CryptographicException)
        {
            throw new CryptographicException($"x, y and d of the JWK are no key pair on {crv}.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(d);
        }
    }

    private static RSA ReadRsa(JsonElement jwk)
    {
        var modulus = Bytes(jwk, "n");
        var half = (modulus.Length + 1) / 2;
        try
        {
            // The platform wants every number at the length that goes with the modulus.
            return RSA.Create(new RSAParameters
            {
                Modulus = modulus,
                Exponent = Bytes(jwk, "e"),
                D = Padded(Bytes(jwk, "d"), modulus.Length),
                P = Padded(Bytes(jwk, "p"), half),
                Q = Padded(Bytes(jwk, "q"), half),
                DP = Padded(Bytes(jwk, "dp"), half),
                DQ = Padded(Bytes(jwk, "dq"), half),
                InverseQ = Padded(Bytes(jwk, "qi"), half),
            });
        }
        catch (CryptographicException exception) when (exception.Data[MemberFault] is null)
        {
            throw new CryptographicException("The members of the JWK are no RSA key pair.");
        }
    }

    private const string MemberFault = nameof(MemberFault);

    private static SigningAlgorithm? ReadAlg(string? alg) => alg is null
        ? null
        : Enum.TryParse<SigningAlgorithm>(alg, out var algorithm) && algorithm.ToString() == alg
            ? algorithm
            : throw new CryptographicException($"The JWK is for alg {alg}, which is not accepted.");

    private static byte[] Padded(byte[] number, int length)
    {
        if (number.Length >= length)
        {
            return number;
        }
        var padded = new byte[length];
        number.CopyTo(padded, length - number.Length);
        return padded;
    }

    private static string? Text(JsonElement jwk, string name) =>
        jwk.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[] Bytes(JsonElement jwk, string name) =>
        Text(jwk, name) is { Length: > 0 } text && !text.Contains('=', StringComparison.Ordinal) && Base64Url.IsValid(text)
            ? Base64Url.DecodeFromChars(text)
            : throw new CryptographicException(
                $"The member {name} of the JWK must be there and be base64url.")
            { Data = { [MemberFault] = name } };
}
