using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dcr.Keys;

/// <summary>
/// One public signing key of a client, imported once and kept: importing an EC key costs more than verifying with it.
/// Verification does not change the handle underneath, so one instance serves parallel requests.
/// </summary>
public sealed class ClientKey
{
    private readonly ECDsa? _ecdsa;
    private readonly RSA? _rsa;
    private readonly JsonObject _publicMembers;

    internal ClientKey(ECDsa ecdsa, string curveAlg, string? kid, string? alg, string thumbprint, JsonObject publicMembers)
        : this(kid, alg, thumbprint, publicMembers)
    {
        _ecdsa = ecdsa;
        CurveAlg = curveAlg;
    }

    internal ClientKey(RSA rsa, string? kid, string? alg, string thumbprint, JsonObject publicMembers)
        : this(kid, alg, thumbprint, publicMembers) => _rsa = rsa;

    private ClientKey(string? kid, string? alg, string thumbprint, JsonObject publicMembers)
    {
        Kid = kid;
        Alg = alg;
        Thumbprint = thumbprint;
        _publicMembers = publicMembers;
    }

    public string? Kid { get; }

    /// <summary>The one algorithm the key is for. Null: any that fits its kind.</summary>
    public string? Alg { get; }

    /// <summary>RFC 7638, SHA-256, base64url.</summary>
    public string Thumbprint { get; }

    /// <summary>The one ECDSA algorithm of the curve (RFC 7518 section 3.4). Null: an RSA key.</summary>
    private string? CurveAlg { get; }

    public bool Fits(string alg) =>
        (Alg is null || Alg == alg) && (_ecdsa is not null ? alg == CurveAlg : alg is ['P' or 'R', 'S', ..] && JwsAlgorithms.IsSupported(alg));

    /// <summary>False also for a signature of the wrong length or an algorithm the key does not fit.</summary>
    public bool Verify(string alg, ReadOnlySpan<byte> signingInput, ReadOnlySpan<byte> signature)
    {
        if (!Fits(alg))
        {
            return false;
        }
        var hash = HashOf(alg);
        if (_ecdsa is not null)
        {
            return _ecdsa.VerifyData(signingInput, signature, hash, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        return _rsa!.VerifyData(signingInput, signature, hash, alg[0] == 'P' ? RSASignaturePadding.Pss : RSASignaturePadding.Pkcs1);
    }

    /// <summary>The members that make the key and say what it is for; whatever else was sent is not kept.</summary>
    public JsonElement ToJwk() => JsonSerializer.SerializeToElement(_publicMembers, DcrJson.Default.JsonObject);

    private static HashAlgorithmName HashOf(string alg) => alg[^3..] switch
    {
        "256" => HashAlgorithmName.SHA256,
        "384" => HashAlgorithmName.SHA384,
        _ => HashAlgorithmName.SHA512,
    };
}
