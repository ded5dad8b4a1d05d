using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Client;
using Dcr.Jose;
using Microsoft.IdentityModel.Tokens;

namespace Dcr.Cli;

/// <summary>A public key of a client as a JWK (RFC 7517), judged as the server judges it.</summary>
internal sealed class ExaminedKey
{
    // RFC 7518 section 3.1. There are older ones, such as RS1, which nobody should take.
    private static readonly string[] s_rsaAlgorithms = ["PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];

    private readonly JsonWebKey? _key;

    private ExaminedKey(string name, JsonWebKey? key, bool isPrivate, string? fault)
    {
        Name = name;
        _key = key;
        IsPrivate = isPrivate;
        Fault = fault;
        Thumbprint = key is not null && fault is null ? Base64UrlEncoder.Encode(key.ComputeJwkThumbprint()) : null;
    }

    /// <summary>Its <c>kid</c>, or which of the set it is.</summary>
    public string Name { get; }

    /// <summary>Null: it has none.</summary>
    public string? Kid => _key?.Kid;

    /// <summary>RFC 7638. Null: it is no key that can be used.</summary>
    public string? Thumbprint { get; }

    /// <summary>Why it cannot be used. Null: it can.</summary>
    public string? Fault { get; }

    /// <summary>Its private half is there to be seen.</summary>
    public bool IsPrivate { get; }

    public string? Alg => _key?.Alg;

    /// <summary>The algorithms that it is good for.</summary>
    public string Algorithms => _key switch
    {
        { Alg: { } alg } => Excerpt.Of(alg),
        { Kty: "EC" } => AlgorithmOf(_key.Crv) ?? "",
        _ => string.Join(' ', s_rsaAlgorithms),
    };

    /// <param name="jwk">One element of <c>keys</c>.</param>
    /// <param name="number">Which of the set it is, from 1.</param>
    public static ExaminedKey Read(JsonNode? jwk, int number)
    {
        if (jwk is not JsonObject json)
        {
            return new ExaminedKey($"number {number}", key: null, isPrivate: false, "it is no JSON object");
        }
        var name = Excerpt.Of(ExaminedAssertion.Text(json, "kid") ?? $"number {number}");
        if (PublicKeyFile.PrivateMember(json) is { } secret)
        {
            return new ExaminedKey(name, key: null, isPrivate: true, $"it has the member {secret}, which is private");
        }
        try
        {
            var key = new JsonWebKey(json.ToJsonString());
            return new ExaminedKey(name, key, isPrivate: false, FaultOf(key));
        }
        catch (Exception exception) when (exception is ArgumentException or JsonException or InvalidOperationException)
        {
            return new ExaminedKey(name, key: null, isPrivate: false, "it is no JWK (RFC 7517 section 4)");
        }
    }

    /// <summary>The public half of a key of this machine. An RSA key may sign in any way.</summary>
    public static ExaminedKey Of(PublicJwk jwk) =>
        Read(JsonNode.Parse((jwk.Kty == "RSA" ? jwk with { Alg = null } : jwk).ToJson()), number: 1);

    public bool Fits(string alg) =>
        Fault is null
            && _key is { } key
            && (key.Alg is null || key.Alg == alg)
            && (key.Kty == "EC" ? AlgorithmOf(key.Crv) == alg : s_rsaAlgorithms.Contains(alg));

    /// <summary>Whether the signature over <paramref name="input"/> was made by the private half of this key.</summary>
    public bool Verifies(string alg, byte[] input, byte[] signature)
    {
        if (signature.Length == 0 || !Fits(alg) || !CryptoProviderFactory.Default.IsSupportedAlgorithm(alg, _key))
        {
            return false;
        }
        var provider = CryptoProviderFactory.Default.CreateForVerifying(_key, alg);
        try
        {
            return provider.Verify(input, signature);
        }
        catch (CryptographicException)
        {
            // Not even the form of a signature.
            return false;
        }
        finally
        {
            CryptoProviderFactory.Default.ReleaseSignatureProvider(provider);
        }
    }

    private static string? AlgorithmOf(string? crv) => crv switch
    {
        "P-256" => "ES256",
        "P-384" => "ES384",
        "P-521" => "ES512",
        _ => null,
    };

    private static string? FaultOf(JsonWebKey key)
    {
        if (key.Use is not null and not "sig")
        {
            return $"its use is {Excerpt.Of(key.Use)}, not sig";
        }
        if (key.KeyOps is { Count: > 0 } operations && !operations.Contains("verify"))
        {
            return "its key_ops do not have verify";
        }
        return key.Kty switch
        {
            "EC" => EllipticCurveFault(key),
            "RSA" => RsaFault(key),
            "oct" => "it is a shared secret",
            _ => $"its kty is {Excerpt.Of(key.Kty)}; EC and RSA can be used",
        };
    }

    private static string? EllipticCurveFault(JsonWebKey key)
    {
        if (AlgorithmOf(key.Crv) is not { } alg)
        {
            return $"its crv is {Excerpt.Of(key.Crv)}; P-256, P-384 and P-521 can be used";
        }
        var size = key.Crv switch { "P-256" => 32, "P-384" => 48, _ => 66 };
        if (Bytes(key.X) is not { } x || Bytes(key.Y) is not { } y || x.Length != size || y.Length != size)
        {
            // RFC 7518 section 6.2.1.2. One key in 128 begins with a zero in x or y.
            return $"x and y must be base64url of {size} bytes for {key.Crv}, with the zeros that they begin with";
        }
        try
        {
            using var point = ECDsa.Create(
                new ECParameters { Curve = ECCurve.CreateFromFriendlyName($"nistP{key.Crv[2..]}"), Q = new ECPoint { X = x, Y = y } });
        }
        catch (CryptographicException)
        {
            return $"x and y are no point on {key.Crv}";
        }
        return key.Alg is null || key.Alg == alg ? null : $"its alg is {Excerpt.Of(key.Alg)}, and {key.Crv} goes with {alg}";
    }

    private static string? RsaFault(JsonWebKey key)
    {
        if (Bytes(key.N) is not { Length: > 0 } modulus || Bytes(key.E) is not { Length: > 0 } exponent)
        {
            return "n and e must be base64url";
        }
        if ((RsaKeyRules.Fault(modulus, exponent) ?? RsaKeyRules.DeepFault(modulus)) is { } fault)
        {
            return fault;
        }
        return key.Alg is null || s_rsaAlgorithms.Contains(key.Alg)
            ? null
            : $"its alg is {Excerpt.Of(key.Alg)}, and an RSA key goes with {string.Join(' ', s_rsaAlgorithms)}";
    }

    private static byte[]? Bytes(string? text) =>
        text is not null && !text.Contains('=', StringComparison.Ordinal) && System.Buffers.Text.Base64Url.IsValid(text)
        ? System.Buffers.Text.Base64Url.DecodeFromChars(text)
        : null;
}
