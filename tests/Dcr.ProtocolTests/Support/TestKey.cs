using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Dcr.ProtocolTests.Support;

/// <summary>A client's key pair, made and used with the base class library alone, apart from any code of the product.</summary>
public sealed class TestKey
{
    private readonly ECDsa? _ecdsa;
    private readonly RSA? _rsa;

    private TestKey(string alg, string? kid, ECDsa? ecdsa, RSA? rsa)
    {
        Alg = alg;
        Kid = kid;
        _ecdsa = ecdsa;
        _rsa = rsa;
    }

    public string Alg { get; }

    public string? Kid { get; }

    public static TestKey Create(string alg = "ES256", string? kid = "key-1", int rsaBits = 2048) => alg switch
    {
        "ES256" => new(alg, kid, ECDsa.Create(ECCurve.NamedCurves.nistP256), null),
        "ES384" => new(alg, kid, ECDsa.Create(ECCurve.NamedCurves.nistP384), null),
        "ES512" => new(alg, kid, ECDsa.Create(ECCurve.NamedCurves.nistP521), null),
        _ => new(alg, kid, null, RSA.Create(rsaBits)),
    };

    /// <summary>The administrator's key, as the server wrote it to its file.</summary>
    public static TestKey Read(string path)
    {
        var jwk = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        var ecdsa = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            Q = new ECPoint { X = Decode(jwk["x"]), Y = Decode(jwk["y"]) },
            D = Decode(jwk["d"]),
        });
        return new TestKey("ES256", jwk["kid"]!.GetValue<string>(), ecdsa, null);
    }

    /// <summary>The same key under another name or for another algorithm.</summary>
    public TestKey As(string? kid = null, string? alg = null) => new(alg ?? Alg, kid ?? Kid, _ecdsa, _rsa);

    public TestKey WithoutKid() => new(Alg, null, _ecdsa, _rsa);

    public JsonObject PublicJwk()
    {
        var jwk = new JsonObject { ["use"] = "sig" };
        if (Kid is not null)
        {
            jwk["kid"] = Kid;
        }
        if (_ecdsa is not null)
        {
            var point = _ecdsa.ExportParameters(false);
            jwk["kty"] = "EC";
            jwk["crv"] = Alg switch { "ES256" => "P-256", "ES384" => "P-384", _ => "P-521" };
            jwk["x"] = Base64Url.EncodeToString(point.Q.X);
            jwk["y"] = Base64Url.EncodeToString(point.Q.Y);
            return jwk;
        }
        var parameters = _rsa!.ExportParameters(false);
        jwk["kty"] = "RSA";
        jwk["n"] = Base64Url.EncodeToString(parameters.Modulus);
        jwk["e"] = Base64Url.EncodeToString(parameters.Exponent);
        return jwk;
    }

    /// <summary>With the private part: what nobody should ever register.</summary>
    public JsonObject PrivateJwk()
    {
        var jwk = PublicJwk();
        jwk["d"] = Base64Url.EncodeToString(_ecdsa?.ExportParameters(true).D ?? _rsa!.ExportParameters(true).D);
        return jwk;
    }

    public static JsonObject Jwks(params TestKey[] keys) => new() { ["keys"] = new JsonArray([.. keys.Select(key => key.PublicJwk())]) };

    /// <summary>RFC 7638, by hand.</summary>
    public string Thumbprint()
    {
        var jwk = PublicJwk();
        var canonical = _ecdsa is not null
            ? $$"""{"crv":"{{jwk["crv"]}}","kty":"EC","x":"{{jwk["x"]}}","y":"{{jwk["y"]}}"}"""
            : $$"""{"e":"{{jwk["e"]}}","kty":"RSA","n":"{{jwk["n"]}}"}""";
        return Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)));
    }

    public byte[] Sign(byte[] data)
    {
        var hash = Alg[^3..] switch { "256" => HashAlgorithmName.SHA256, "384" => HashAlgorithmName.SHA384, _ => HashAlgorithmName.SHA512 };
        return _ecdsa?.SignData(data, hash)
            ?? _rsa!.SignData(data, hash, Alg.StartsWith("PS", StringComparison.Ordinal) ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
    }

    private static byte[] Decode(JsonNode? member) => Base64Url.DecodeFromChars(member!.GetValue<string>());
}
