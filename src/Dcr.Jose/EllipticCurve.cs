using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Dcr.Jose;

/// <summary>One of the three curves of RFC 7518 section 6.2.1.1, with what it takes to tell whether a point lies on it.</summary>
internal sealed class EllipticCurve
{
    private static readonly EllipticCurve[] s_all =
    [
        new("P-256", ECCurve.NamedCurves.nistP256, 32, "ES256",
            (BigInteger.One << 256) - (BigInteger.One << 224) + (BigInteger.One << 192) + (BigInteger.One << 96) - 1,
            "05ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b"),
        new("P-384", ECCurve.NamedCurves.nistP384, 48, "ES384",
            (BigInteger.One << 384) - (BigInteger.One << 128) - (BigInteger.One << 96) + (BigInteger.One << 32) - 1,
            "0b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef"),
        new("P-521", ECCurve.NamedCurves.nistP521, 66, "ES512",
            (BigInteger.One << 521) - 1,
            "051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e1"
            + "56193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00"),
    ];

    private readonly BigInteger _p;
    private readonly BigInteger _b;

    private EllipticCurve(string crv, ECCurve named, int size, string alg, BigInteger p, string b)
    {
        Crv = crv;
        Named = named;
        Size = size;
        Alg = alg;
        _p = p;
        _b = BigInteger.Parse(b, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    public string Crv { get; }

    public ECCurve Named { get; }

    /// <summary>Bytes of a coordinate.</summary>
    public int Size { get; }

    /// <summary>The one algorithm that goes with it (RFC 7518 section 3.4).</summary>
    public string Alg { get; }

    /// <summary>Null: another curve.</summary>
    public static EllipticCurve? Find(string? crv) => Array.Find(s_all, curve => curve.Crv == crv);

    /// <summary>
    /// y² = x³ - 3x + b (SEC 1 section 3.2.2.1). The curves have a cofactor of one, so a point on them is of the right order.
    /// An import by the platform multiplies by the order all the same and takes a hundred times as long.
    /// </summary>
    public bool Holds(ReadOnlySpan<byte> x, ReadOnlySpan<byte> y)
    {
        var (px, py) = (new BigInteger(x, isUnsigned: true, isBigEndian: true), new BigInteger(y, isUnsigned: true, isBigEndian: true));
        return px < _p && py < _p && ((py * py) - (((px * px) - 3) * px) - _b) % _p == 0;
    }
}
