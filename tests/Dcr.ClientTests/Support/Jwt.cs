using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.ClientTests.Support;

/// <summary>A signed JWT taken apart and verified with the base class library alone.</summary>
public sealed record Jwt(JsonObject Header, JsonObject Claims, string SigningInput, byte[] Signature)
{
    public static Jwt Parse(string text)
    {
        var parts = text.Split('.');
        return new Jwt(Json(parts[0]), Json(parts[1]), $"{parts[0]}.{parts[1]}", Base64Url.DecodeFromChars(parts[2]));
    }

    public string? this[string claim] => Claims[claim]?.ToString();

    public bool IsSignedBy(PublicJwk key)
    {
        var data = Encoding.ASCII.GetBytes(SigningInput);
        var alg = Header["alg"]!.GetValue<string>();
        var hash = alg[^3..] switch { "256" => HashAlgorithmName.SHA256, "384" => HashAlgorithmName.SHA384, _ => HashAlgorithmName.SHA512 };
        if (key.Kty == "EC")
        {
            var curve = key.Crv switch { "P-256" => ECCurve.NamedCurves.nistP256, "P-384" => ECCurve.NamedCurves.nistP384, _ => ECCurve.NamedCurves.nistP521 };
            using var ecdsa = ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = Base64Url.DecodeFromChars(key.X), Y = Base64Url.DecodeFromChars(key.Y) } });
            return ecdsa.VerifyData(data, Signature, hash);
        }
        using var rsa = RSA.Create(new RSAParameters { Modulus = Base64Url.DecodeFromChars(key.N), Exponent = Base64Url.DecodeFromChars(key.E) });
        return rsa.VerifyData(data, Signature, hash, alg[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
    }

    private static JsonObject Json(string part) => JsonNode.Parse(Base64Url.DecodeFromChars(part))!.AsObject();
}
