using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Dcr.Jose;

/// <summary>
/// One public signing key of a client, imported when it is first needed and kept: importing an EC key costs more than verifying
/// with it, and ten times its memory. Verification does not change the handle underneath, so one instance serves parallel requests.
/// </summary>
public sealed class PublicKey
{
    // Measured: the handle, what the platform keeps behind it, and the tables of the first verification.
    private const int ImportedCost = 6144;
    private const int BareCost = 560;

    private readonly byte[] _jwk;
    private readonly EllipticCurve? _curve;
    private readonly Lazy<AsymmetricAlgorithm> _imported;
    private readonly Lazy<string?>? _deepFault;

    /// <param name="jwk">The public members, found good as far as that is cheap to tell, as UTF-8.</param>
    /// <param name="curve">Null: an RSA key.</param>
    /// <param name="kid">Null: it has none.</param>
    /// <param name="alg">The one algorithm it is for.</param>
    /// <param name="thumbprint">RFC 7638.</param>
    internal PublicKey(byte[] jwk, EllipticCurve? curve, string? kid, string? alg, string thumbprint)
    {
        _jwk = jwk;
        _curve = curve;
        Kid = kid;
        Alg = alg;
        Thumbprint = thumbprint;
        _imported = new(ReadKey);
        _deepFault = curve is null ? new(() => RsaKeyRules.DeepFault(Bytes("n"))) : null;
    }

    /// <summary>RFC 7517 section 4.5. Null: the key has none.</summary>
    public string? Kid { get; }

    /// <summary>The one algorithm the key is for. Null: any that fits its kind.</summary>
    public string? Alg { get; }

    /// <summary>RFC 7638, SHA-256, base64url.</summary>
    public string Thumbprint { get; }

    /// <summary>What is wrong with the key beyond what was looked at when it was read; told once, in up to 20 ms. Null: nothing.</summary>
    internal string? DeepFault => _deepFault?.Value;

    internal bool IsImported => _imported.IsValueCreated;

    /// <summary>Bytes of memory, about.</summary>
    internal int Cost => IsImported ? CostWhenImported : CostWhenImported - ImportedCost;

    internal int CostWhenImported => BareCost + _jwk.Length + (2 * (Kid?.Length ?? 0)) + ImportedCost;

    /// <summary>Whether the key may verify signatures of this JWS algorithm.</summary>
    public bool Fits(string alg) =>
        (Alg is null || Alg == alg)
            && (_curve is not null ? alg == _curve.Alg : alg is ['P' or 'R', 'S', ..] && JwsAlgorithms.IsSupported(alg));

    /// <summary>False also for a signature of the wrong length or an algorithm the key does not fit.</summary>
    public bool Verify(string alg, ReadOnlySpan<byte> signingInput, ReadOnlySpan<byte> signature)
    {
        if (!Fits(alg))
        {
            return false;
        }
        var hash = HashOf(alg);
        return _imported.Value switch
        {
            ECDsa ecdsa => ecdsa.VerifyData(signingInput, signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation),
            RSA rsa => rsa.VerifyData(signingInput, signature, hash, alg[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1),
            var other => throw new InvalidOperationException($"A key of an unknown kind: {other.GetType()}"),
        };
    }

    /// <summary>The members that make the key and say what it is for; whatever else was sent is not kept.</summary>
    public JsonElement ToJwk() => JsonElement.Parse(_jwk);

    /// <summary>True: just now, false: it had been before.</summary>
    internal bool Import()
    {
        var isNew = !_imported.IsValueCreated;
        _ = _imported.Value;
        return isNew;
    }

    private AsymmetricAlgorithm ReadKey() => _curve is null
        ? RSA.Create(new RSAParameters { Modulus = Bytes("n"), Exponent = Bytes("e") })
        : ECDsa.Create(new ECParameters { Curve = _curve.Named, Q = new ECPoint { X = Bytes("x"), Y = Bytes("y") } });

    private byte[] Bytes(string member)
    {
        using var jwk = JsonDocument.Parse(_jwk);
        return Base64Url.DecodeFromChars(jwk.RootElement.GetProperty(member).GetString());
    }

    private static HashAlgorithmName HashOf(string alg) => alg[^3..] switch
    {
        "256" => HashAlgorithmName.SHA256,
        "384" => HashAlgorithmName.SHA384,
        _ => HashAlgorithmName.SHA512,
    };
}
