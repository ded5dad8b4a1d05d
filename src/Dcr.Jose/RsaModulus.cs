using System.Numerics;
using System.Security.Cryptography;

namespace Dcr.Jose;

/// <summary>
/// The ways in which a modulus is known to come out so that anybody can factor it. Each takes an odd number of 2048 bits or more.
/// </summary>
internal static class RsaModulus
{
    private const int FermatRounds = 100;

    /// <summary>So many bytes in a row that repeat what stands one to eight bytes before them.</summary>
    private const int MaxRepeated = 15;

    /// <summary>OpenSSL raises to a large exponent up to this size.</summary>
    private const int MaxBitsForPrimality = 3072;

    private static readonly int[] s_rootDegrees = [3, 5, 7];

    private static readonly Lazy<BigInteger> s_smallPrimes = new(() => ProductOfPrimes(65537));

    /// <summary>Memory that was never filled, or filled by a pattern.</summary>
    public static bool HasPattern(ReadOnlySpan<byte> bigEndian)
    {
        for (var period = 1; period <= 8; period++)
        {
            var repeated = 0;
            for (var i = period; i < bigEndian.Length; i++)
            {
                repeated = bigEndian[i] == bigEndian[i - period] ? repeated + 1 : 0;
                if (repeated >= MaxRepeated)
                {
                    return true;
                }
            }
        }
        return false;
    }

    /// <summary>
    /// Far more zeros than ones, or the reverse: nine standard deviations at 2048 bits. Such come of primes that are values of a
    /// polynomial, or were made to spell something.
    /// </summary>
    public static bool IsBiased(ReadOnlySpan<byte> bigEndian)
    {
        var ones = 0;
        foreach (var octet in bigEndian)
        {
            ones += BitOperations.PopCount(octet);
        }
        return ones * 10 < bigEndian.Length * 8 * 4 || ones * 10 > bigEndian.Length * 8 * 6;
    }

    /// <summary>Fermat's way: two primes that lie close together, or are the same.</summary>
    public static bool HasCloseFactors(BigInteger n)
    {
        var a = Root(n, 2);
        if (a * a < n)
        {
            a += 1;
        }
        var rest = (a * a) - n;
        for (var round = 0; round < FermatRounds; round++)
        {
            if (IsSquare(rest))
            {
                return true;
            }
            rest += (2 * a) + 1;
            a += 1;
        }
        return false;
    }

    /// <summary>A prime factor up to 65537, or one prime raised to a power.</summary>
    public static bool HasSmallFactorOrIsPower(BigInteger n) =>
        !BigInteger.GreatestCommonDivisor(s_smallPrimes.Value % n, n).IsOne
            || s_rootDegrees.Any(degree => BigInteger.Pow(Root(n, degree), degree) == n);

    /// <summary>
    /// Fermat's little theorem. The platform raises to a power ten times as fast as <see cref="BigInteger"/>, under a random
    /// base that is its padding; beyond 3072 bits it does not, and the question is left open (specs/choices.md).
    /// </summary>
    public static bool IsPrime(byte[] bigEndian)
    {
        var n = new BigInteger(bigEndian, isUnsigned: true, isBigEndian: true);
        if (n.GetBitLength() > MaxBitsForPrimality)
        {
            return false;
        }
        // n - 1 = 2^twos * odd, and the platform wants an odd exponent.
        var twos = (int)BigInteger.TrailingZeroCount(n - 1);
        var power = Raise(bigEndian, n, (n - 1) >> twos);
        for (var i = 0; i < twos; i++)
        {
            power = power * power % n;
        }
        return power.IsOne;
    }

    private static BigInteger Raise(byte[] modulus, BigInteger n, BigInteger exponent)
    {
        try
        {
            using var rsa = RSA.Create(
                new RSAParameters { Modulus = modulus, Exponent = exponent.ToByteArray(isUnsigned: true, isBigEndian: true) });
            return new BigInteger(rsa.Encrypt([1], RSAEncryptionPadding.Pkcs1), isUnsigned: true, isBigEndian: true);
        }
        catch (CryptographicException)
        {
            // A platform other than OpenSSL may know small exponents only.
            return BigInteger.ModPow(2, exponent, n);
        }
    }

    private static bool IsSquare(BigInteger number)
    {
        // A square is 0, 1, 4 or 9 modulo 16: three of four numbers end here.
        if ((int)(number & 15) is not (0 or 1 or 4 or 9))
        {
            return false;
        }
        var root = Root(number, 2);
        return root * root == number;
    }

    /// <summary>The whole part of the root, by Newton's method from above.</summary>
    private static BigInteger Root(BigInteger number, int degree)
    {
        if (number.IsZero)
        {
            return number;
        }
        var root = BigInteger.One << (int)((number.GetBitLength() + degree - 1) / degree);
        while (true)
        {
            var next = (((degree - 1) * root) + (number / BigInteger.Pow(root, degree - 1))) / degree;
            if (next >= root)
            {
                return root;
            }
            root = next;
        }
    }

    private static BigInteger ProductOfPrimes(int largest)
    {
        var composite = new bool[largest + 1];
        var factors = new List<BigInteger>();
        for (var candidate = 2; candidate <= largest; candidate++)
        {
            if (composite[candidate])
            {
                continue;
            }
            factors.Add(candidate);
            for (long multiple = (long)candidate * candidate; multiple <= largest; multiple += candidate)
            {
                composite[multiple] = true;
            }
        }
        // In pairs: numbers of the same size multiply fastest.
        while (factors.Count > 1)
        {
            factors = [.. factors.Chunk(2).Select(pair => pair.Length == 2 ? pair[0] * pair[1] : pair[0])];
        }
        return factors[0];
    }
}
