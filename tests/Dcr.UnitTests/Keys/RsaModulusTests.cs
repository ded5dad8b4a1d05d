using System.Diagnostics;
using System.Numerics;
using System.Security.Cryptography;
using Dcr.Jose;
using Xunit;

namespace Dcr.UnitTests.Keys;

/// <summary>Moduli that anybody can factor, each made the way that such are known to come about.</summary>
public sealed class RsaModulusTests
{
    private static readonly byte[] s_exponent = [1, 0, 1];

    // Primes are slow to find; those of a key are at hand.
    private static readonly (BigInteger P, BigInteger Q) s_primes = Primes(2048);

    private static (BigInteger P, BigInteger Q) Primes(int bits)
    {
        using var key = RSA.Create(bits);
        var parameters = key.ExportParameters(includePrivateParameters: true);
        return (Number(parameters.P!), Number(parameters.Q!));
    }

    private static BigInteger Number(byte[] bigEndian) => new(bigEndian, isUnsigned: true, isBigEndian: true);

    private static string? Fault(BigInteger n)
    {
        var modulus = n.ToByteArray(isUnsigned: true, isBigEndian: true);
        return RsaKeyRules.Fault(modulus, s_exponent) ?? RsaKeyRules.DeepFault(modulus);
    }

    private static void Rejects(string naming, BigInteger n) => Assert.Contains(naming, Fault(n) ?? "no fault", StringComparison.Ordinal);

    private static bool IsProbablyPrime(BigInteger n) => BigInteger.ModPow(2, n - 1, n).IsOne;

    private static BigInteger NextPrime(BigInteger n)
    {
        do
        {
            n += 2;
        }
        while (!IsProbablyPrime(n));
        return n;
    }

    /// <summary>Of at least 2048 bits, with nothing wrong but what the test wants.</summary>
    private static BigInteger LargePrime()
    {
        using var key = RSA.Create(4096);
        return Number(key.ExportParameters(includePrivateParameters: true).P!);
    }

    [Theory]
    [Requirement("P-WEAKRSA")]
    [InlineData(2048)]
    [InlineData(3072)]
    [InlineData(4096)]
    public void Accepts_sound_keys(int bits)
    {
        for (var i = 0; i < 5; i++)
        {
            var (p, q) = Primes(bits);
            Assert.Null(Fault(p * q));
        }
    }

    [Theory]
    [Requirement("P-WEAKRSA")]
    [InlineData(3)]
    [InlineData(251)]
    [InlineData(65537)]
    public void Rejects_a_modulus_with_a_small_factor(int factor) => Rejects("small prime factor", factor * LargePrime());

    [Fact]
    [Requirement("P-WEAKRSA")]
    public void Rejects_a_modulus_of_many_factors() => Rejects("small prime factor", s_primes.P * s_primes.Q * 65521 * 64997);

    [Fact]
    [Requirement("P-WEAKRSA")]
    public void Rejects_powers_of_a_prime()
    {
        Rejects("the same or lie close", s_primes.P * s_primes.P);
        Rejects("is a power", BigInteger.Pow(s_primes.P, 3));
        Rejects("is a power", BigInteger.Pow(s_primes.P, 5));
    }

    [Fact]
    [Requirement("P-WEAKRSA")]
    public void Rejects_primes_that_lie_close_together()
    {
        Rejects("the same or lie close", s_primes.P * NextPrime(s_primes.P));
        Rejects("the same or lie close", s_primes.P * NextPrime(s_primes.P + (BigInteger.One << 500)));
        Assert.Null(Fault(s_primes.P * NextPrime(s_primes.P + (BigInteger.One << 900))));
    }

    [Fact]
    [Requirement("P-WEAKRSA")]
    public void Rejects_a_prime() => Rejects("is a prime", LargePrime());

    [Fact]
    [Requirement("P-WEAKRSA")]
    public void Rejects_what_repeats_itself()
    {
        var random = new byte[256];
        foreach (var unit in new byte[][] { [0], [0xff], [0xa5], [0xde, 0xad, 0xbe, 0xef], [1, 2, 3, 4, 5, 6, 7, 8] })
        {
            RandomNumberGenerator.Fill(random);
            random[0] |= 0x80;
            random[^1] |= 1;
            for (var i = 0; i < 32; i++)
            {
                random[100 + i] = unit[i % unit.Length];
            }
            Rejects("not random", Number(random));
        }
    }

    [Fact]
    [Requirement("P-WEAKRSA")]
    public void Rejects_primes_that_are_values_of_a_polynomial()
    {
        // Small coefficients in powers of 2^128: their product has long gaps.
        BigInteger Sparse() => NextPrime(Enumerable.Range(0, 8).Aggregate(BigInteger.Zero, (sum, _) => (sum << 128) + RandomNumberGenerator.GetInt32(2, 250)) << 1 | BigInteger.One | (BigInteger.One << 1030));
        Rejects("not random", Sparse() * Sparse());
    }

    [Fact]
    public void Takes_little_time()
    {
        using var key = RSA.Create(2048);
        var modulus = key.ExportParameters(includePrivateParameters: false).Modulus!;
        RsaKeyRules.DeepFault(modulus);
        // The machine has hiccups of its own: the best of ten.
        var best = Enumerable.Range(0, 10).Min(_ =>
        {
            var clock = Stopwatch.StartNew();
            Assert.Null(RsaKeyRules.Fault(modulus, s_exponent) ?? RsaKeyRules.DeepFault(modulus));
            return clock.Elapsed;
        });
        Assert.True(best < TimeSpan.FromMilliseconds(100), $"{best.TotalMilliseconds} ms");
    }
}
