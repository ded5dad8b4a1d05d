using System.Numerics;

namespace Dcr.Jose;

/// <summary>RSA public keys worth trusting: RFC 7518 sections 3.3 and 6.3, and no modulus that anybody can factor.</summary>
internal static class RsaKeyRules
{
    private const int MinBits = 2048;
    private const int MaxBits = 8192;

    // Moduli of the flawed library are powers of 65537 modulo each of these; a sound one is so by chance once in 2^27.8.
    private static readonly int[] s_rocaPrimes =
        [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

    /// <summary>For each prime the residues that the flawed keys have.</summary>
    private static readonly bool[][] s_rocaResidues = [.. s_rocaPrimes.Select(PowersOf65537)];

    /// <summary>
    /// Null when nothing is wrong that is told in less than a millisecond: enough for a key of a set of which most are never used.
    /// Big-endian, as in the JWK.
    /// </summary>
    public static string? Fault(byte[] modulus, byte[] exponent)
    {
        if (modulus[0] == 0 || exponent[0] == 0)
        {
            return "n and e must have no leading zeros (RFC 7518 section 6.3.1): leave the zero bytes that they begin with out";
        }
        var n = new BigInteger(modulus, isUnsigned: true, isBigEndian: true);
        if (n.GetBitLength() is var bits and (< MinBits or > MaxBits))
        {
            return $"an RSA key must have {MinBits} to {MaxBits} bits, this one has {bits}";
        }
        var e = new BigInteger(exponent, isUnsigned: true, isBigEndian: true);
        if (n.IsEven || e.IsEven || e < 65537 || e > uint.MaxValue)
        {
            return "n and e must be odd, and e between 65537 and 2^32-1";
        }
        if (IsRoca(n))
        {
            return "the modulus has the shape of the ROCA flaw (CVE-2017-15361); make a new key";
        }
        if (RsaModulus.HasPattern(modulus) || RsaModulus.IsBiased(modulus))
        {
            return "the modulus is not random: it repeats itself, or has far too many bits of one kind; make a new key";
        }
        return RsaModulus.HasCloseFactors(n)
            ? "the modulus is the product of two primes that are the same or lie close together; make a new key"
            : null;
    }

    /// <summary>The rest, in up to 20 ms, of a key without <see cref="Fault"/>. Null when the key may be used.</summary>
    public static string? DeepFault(byte[] modulus)
    {
        if (RsaModulus.HasSmallFactorOrIsPower(new BigInteger(modulus, isUnsigned: true, isBigEndian: true)))
        {
            return "the modulus has a small prime factor, or is a power; make a new key";
        }
        return RsaModulus.IsPrime(modulus) ? "the modulus is a prime, and not the product of two; make a new key" : null;
    }

    private static bool IsRoca(BigInteger n)
    {
        for (var i = 0; i < s_rocaPrimes.Length; i++)
        {
            if (!s_rocaResidues[i][(int)(n % s_rocaPrimes[i])])
            {
                return false;
            }
        }
        return true;
    }

    private static bool[] PowersOf65537(int prime)
    {
        var residues = new bool[prime];
        for (var power = 1; !residues[power]; power = power * (65537 % prime) % prime)
        {
            residues[power] = true;
        }
        return residues;
    }
}
