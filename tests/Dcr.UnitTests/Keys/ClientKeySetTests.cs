using System.Buffers.Text;
using System.Numerics;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Jose;
using Xunit;

namespace Dcr.UnitTests.Keys;

/// <summary>Which public keys are trusted: RFC 7517, RFC 7518 section 6.</summary>
public sealed class ClientKeySetTests
{
    private static readonly RSA s_rsa = RSA.Create(2048);

    private static JsonObject Ec(string kid = "ec", string crv = "P-256")
    {
        using var key = ECDsa.Create(crv switch { "P-256" => ECCurve.NamedCurves.nistP256, "P-384" => ECCurve.NamedCurves.nistP384, _ => ECCurve.NamedCurves.nistP521 });
        var q = key.ExportParameters(false).Q;
        return new JsonObject { ["kty"] = "EC", ["crv"] = crv, ["kid"] = kid, ["x"] = Base64Url.EncodeToString(q.X), ["y"] = Base64Url.EncodeToString(q.Y) };
    }

    private static JsonObject Rsa(string kid = "rsa", RSA? rsa = null)
    {
        var key = (rsa ?? s_rsa).ExportParameters(false);
        return new JsonObject { ["kty"] = "RSA", ["kid"] = kid, ["n"] = Base64Url.EncodeToString(key.Modulus), ["e"] = Base64Url.EncodeToString(key.Exponent) };
    }

    private static JsonObject With(JsonObject key, string member, JsonNode? value)
    {
        key[member] = value;
        return key;
    }

    private static JwkSet Set(params JsonNode[] keys) =>
        new() { Keys = [.. keys.Select(key => JsonSerializer.SerializeToElement(key))] };

    private static PublicKeySet Accepts(params JsonNode[] keys)
    {
        var read = PublicKeySet.ReadForRegistration(Set(keys), out var fault);
        Assert.True(read is not null, fault);
        return read;
    }

    private static void Rejects(string naming, params JsonNode[] keys)
    {
        Assert.Null(PublicKeySet.ReadForRegistration(Set(keys), out var fault));
        Assert.Contains(naming, fault, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("R7638-3-01")]
    public void Computes_the_thumbprint_of_RFC_7638_section_3_1()
    {
        var key = JsonNode.Parse("""
            {"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}
            """)!;
        Assert.Equal("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", Accepts(key).Keys[0].Thumbprint);
    }

    [Theory]
    [Requirement("R7518-3.4-01", "R8725-3.1-01")]
    [InlineData("P-256", "ES256")]
    [InlineData("P-384", "ES384")]
    [InlineData("P-521", "ES512")]
    public void A_curve_goes_with_one_algorithm(string crv, string alg)
    {
        var key = Accepts(Ec(crv: crv)).Keys[0];
        Assert.Equal([alg], JwsAlgorithms.Supported.Where(key.Fits));
    }

    [Fact]
    [Requirement("R8725-3.1-01", "R7518-3.1-01", "R8725-3.1-02")]
    public void An_RSA_key_goes_with_RSA_algorithms_or_the_one_it_names()
    {
        Assert.Equal(["PS256", "PS384", "PS512", "RS256", "RS384", "RS512"], JwsAlgorithms.Supported.Where(Accepts(Rsa()).Keys[0].Fits));
        Assert.Equal(["PS384"], JwsAlgorithms.Supported.Where(Accepts(With(Rsa(), "alg", "PS384")).Keys[0].Fits));
        Assert.False(Accepts(Rsa()).Keys[0].Fits("RS1"));
        Assert.False(Accepts(Rsa()).Keys[0].Fits("PS257"));
    }

    [Theory]
    [Requirement("R7518-3.4-01")]
    [InlineData("P-256", "ES256", 64)]
    [InlineData("P-384", "ES384", 96)]
    [InlineData("P-521", "ES512", 132)]
    public void Verifies_signatures_of_exactly_the_right_length(string crv, string alg, int length)
    {
        using var pair = ECDsa.Create(crv switch { "P-256" => ECCurve.NamedCurves.nistP256, "P-384" => ECCurve.NamedCurves.nistP384, _ => ECCurve.NamedCurves.nistP521 });
        var q = pair.ExportParameters(false).Q;
        var key = Accepts(new JsonObject { ["kty"] = "EC", ["crv"] = crv, ["x"] = Base64Url.EncodeToString(q.X), ["y"] = Base64Url.EncodeToString(q.Y) }).Keys[0];
        byte[] data = [1, 2, 3];
        var hash = new HashAlgorithmName("SHA" + alg[2..]);
        var signature = pair.SignData(data, hash);
        Assert.Equal(length, signature.Length);
        Assert.True(key.Verify(alg, data, signature));
        Assert.False(key.Verify(alg, data, [.. signature, 0]));
        Assert.False(key.Verify(alg, data, signature.AsSpan(0, length - 1)));
        Assert.False(key.Verify(alg, data, []));
        Assert.False(key.Verify(alg, data, pair.SignData(data, hash, DSASignatureFormat.Rfc3279DerSequence)));
        Assert.False(key.Verify(alg, data, new byte[length]));
        Assert.False(key.Verify("RS256", data, signature));
    }

    [Fact]
    public async Task Verifies_in_parallel_with_one_key()
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var q = pair.ExportParameters(false).Q;
        var key = Accepts(new JsonObject { ["kty"] = "EC", ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(q.X), ["y"] = Base64Url.EncodeToString(q.Y) }).Keys[0];
        byte[] data = [1, 2, 3];
        var signature = pair.SignData(data, HashAlgorithmName.SHA256);
        var verified = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
            Enumerable.Range(0, 500).All(_ => key.Verify("ES256", data, signature)), TestContext.Current.CancellationToken)));
        Assert.All(verified, Assert.True);
    }

    [Theory]
    [Requirement("P-KEY", "R8725-3.4-01")]
    [InlineData("d")]
    [InlineData("p")]
    [InlineData("q")]
    [InlineData("dp")]
    [InlineData("dq")]
    [InlineData("qi")]
    [InlineData("oth")]
    [InlineData("k")]
    [InlineData("priv")]
    public void Rejects_private_members_wherever_they_stand_and_never_repeats_them(string member)
    {
        Rejects("leaky", Ec("good"), With(Ec("leaky"), member, "SECRET-VALUE"));
        Assert.Null(PublicKeySet.ReadForRegistration(Set(With(new JsonObject { ["kty"] = "unknown", ["kid"] = "leaky" }, member, "SECRET-VALUE")), out var leaky));
        Assert.DoesNotContain("SECRET-VALUE", leaky, StringComparison.Ordinal);
        Assert.Null(PublicKeySet.ReadDownloaded(Set(Ec("good"), With(Ec("leaky"), member, "SECRET-VALUE")), 100, out _));
    }

    [Fact]
    [Requirement("P-KEY", "R8725-3.4-01")]
    public void Rejects_a_private_key_of_RFC_9964()
    {
        var seed = new JsonObject { ["kty"] = "AKP", ["alg"] = "ML-DSA-44", ["kid"] = "leaky", ["pub"] = "AA", ["priv"] = "SECRET-VALUE" };
        Rejects("leaky", Ec("good"), seed);
        Assert.Null(PublicKeySet.ReadDownloaded(Set(Ec("good"), seed), 100, out var fault));
        Assert.Contains("priv", fault, StringComparison.Ordinal);
        seed.Remove("priv");
        Assert.Equal("good", Assert.Single(Accepts(Ec("good"), seed).Keys).Kid);
    }

    [Fact]
    [Requirement("R7517-4.5-01")]
    public void Takes_a_key_that_stands_twice_for_one()
    {
        var key = Ec("same");
        Assert.Equal("same", Assert.Single(Accepts(key, key.DeepClone()).Keys).Kid);
        Assert.Equal("same", Assert.Single(PublicKeySet.ReadDownloaded(Set(key, key.DeepClone()), 100, out _)!.Keys).Kid);
        var without = Ec("x");
        without.Remove("kid");
        Assert.IsType<KeySelection.Found>(Accepts(without, without.DeepClone()).Select(null, "ES256"));
        Rejects("same", key, With(key.DeepClone().AsObject(), "alg", "ES256"));
    }

    [Fact]
    [Requirement("P-KEY")]
    public void Names_the_reason_of_each_key_of_a_downloaded_set_that_has_no_good_one()
    {
        var padded = With(Rsa("padded"), "n", Base64Url.EncodeToString([0, .. s_rsa.ExportParameters(false).Modulus!]));
        Assert.Null(PublicKeySet.ReadDownloaded(Set(padded, With(Ec("off"), "y", Base64Url.EncodeToString(new byte[32])), With(Ec("enc"), "use", "enc"), new JsonObject { ["kty"] = "OKP" }), 100, out var fault));
        Assert.Contains("key padded: n and e must have no leading zeros", fault, StringComparison.Ordinal);
        Assert.Contains("key off: x and y are no point on P-256", fault, StringComparison.Ordinal);
        Assert.Contains("key enc: its use is enc", fault, StringComparison.Ordinal);
        Assert.Contains("key number 4: its kty OKP is not known here", fault, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-MEMORY")]
    public void Imports_no_key_before_it_is_needed_and_charges_it_then()
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var q = pair.ExportParameters(false).Q;
        var set = Accepts(new JsonObject { ["kty"] = "EC", ["crv"] = "P-384", ["kid"] = "mine", ["x"] = Base64Url.EncodeToString(q.X), ["y"] = Base64Url.EncodeToString(q.Y) }, Ec("other"));
        var bare = set.Cost;
        Assert.All(set.Keys, key => Assert.False(key.IsImported));
        Assert.True(set.Keys[0].Verify("ES384", [1], pair.SignData([1], HashAlgorithmName.SHA384)));
        Assert.True(set.Keys[0].IsImported);
        Assert.False(set.Keys[1].IsImported);
        Assert.True(set.Cost > bare + 4000);
    }

    [Fact]
    [Requirement("P-KEY")]
    public void Rejects_a_symmetric_key() => Rejects("symmetric", new JsonObject { ["kty"] = "oct", ["kid"] = "s" });

    [Fact]
    [Requirement("R7518-3.3-01", "P-KEY")]
    public void Rejects_RSA_keys_that_are_too_short_or_too_long()
    {
        using var shorter = RSA.Create(1024);
        Rejects("1024", Rsa(rsa: shorter));
        var longer = new byte[1025];
        longer.AsSpan().Fill(0xff);
        Rejects("8200", With(Rsa(), "n", Base64Url.EncodeToString(longer)));
    }

    [Theory]
    [Requirement("R7518-6.3-01", "P-KEY")]
    [InlineData("Aw")]
    [InlineData("AQAA")]
    [InlineData("AQAAAAE")]
    [InlineData("AAEAAQ")]
    public void Rejects_exponents_that_are_small_even_large_or_padded(string exponent) => Rejects("e", With(Rsa(), "e", exponent));

    [Fact]
    [Requirement("R7518-6.3-01")]
    public void Rejects_a_modulus_with_leading_zeros() =>
        Rejects("leading zeros", With(Rsa(), "n", Base64Url.EncodeToString([0, .. s_rsa.ExportParameters(false).Modulus!])));

    [Fact]
    [Requirement("P-ROCA")]
    public void Rejects_a_modulus_of_the_ROCA_shape()
    {
        // Made as the flawed library made its primes: k * M + (65537^a mod M), M a product of small primes.
        var m = new[] { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157 }
            .Aggregate(BigInteger.One, (product, prime) => product * prime);
        BigInteger Factor(int a) => (((BigInteger.One << 1023) + (BigInteger.One << 1022)) / m * m) + BigInteger.ModPow(65537, a, m);
        var n = (Factor(1234) * Factor(987654)).ToByteArray(isUnsigned: true, isBigEndian: true);
        Rejects("ROCA", With(Rsa(), "n", Base64Url.EncodeToString(n)));
        for (var i = 0; i < 5; i++)
        {
            using var sound = RSA.Create(2048);
            Accepts(Rsa(rsa: sound));
        }
    }

    [Fact]
    [Requirement("R7518-6.2-01", "R8725-3.4-01")]
    public void Rejects_points_that_are_off_the_curve_or_of_the_wrong_length()
    {
        Rejects("no point", With(Ec(), "y", Base64Url.EncodeToString(new byte[32])));
        Rejects("32 bytes", With(Ec(), "x", Base64Url.EncodeToString(new byte[31])));
        Rejects("32 bytes", With(Ec(), "x", "===="));
        Rejects("32 bytes", With(Ec(), "x", 5));
        var noY = Ec();
        noY.Remove("y");
        Rejects("32 bytes", noY);
    }

    [Fact]
    [Requirement("R7518-3.4-01", "R8725-3.1-01")]
    public void Rejects_an_alg_that_does_not_go_with_the_key()
    {
        Rejects("ES384", With(Ec(), "alg", "ES384"));
        Rejects("ES256", With(Rsa(), "alg", "ES256"));
    }

    [Fact]
    [Requirement("R7517-4.5-01")]
    public void Rejects_two_keys_with_one_kid() => Rejects("same", Ec("same"), Rsa("same"));

    [Fact]
    [Requirement("R7517-5-01")]
    public void Rejects_a_set_with_no_usable_key_and_one_with_too_many()
    {
        Rejects("no key");
        Rejects("no key", new JsonObject { ["kty"] = "OKP", ["crv"] = "Ed25519", ["x"] = "AA" });
        Rejects("100", [.. Enumerable.Range(0, 101).Select(i => Ec($"k{i}"))]);
        Rejects("key number 2", Ec(), new JsonArray());
        Rejects("kty", With(Ec(), "kty", 5));
    }

    [Fact]
    [Requirement("R7517-4-01", "R7517-5-01")]
    public void Leaves_out_keys_that_are_not_for_verifying()
    {
        var set = Accepts(
            Ec("good"),
            With(Ec("enc"), "use", "enc"),
            With(Ec("ops"), "key_ops", new JsonArray("encrypt")),
            With(Rsa("oaep"), "alg", "RSA-OAEP"),
            new JsonObject { ["kty"] = "EC", ["crv"] = "secp256k1", ["kid"] = "koblitz", ["x"] = "AA", ["y"] = "AA" });
        Assert.Equal("good", Assert.Single(set.Keys).Kid);
        Accepts(With(Ec(), "key_ops", new JsonArray("verify")));
        Accepts(With(With(Ec(), "key_ops", new JsonArray()), "alg", null));
    }

    [Fact]
    [Requirement("R7517-5-02")]
    public void Keeps_the_public_members_only()
    {
        var key = With(With(Ec(), "x5c", new JsonArray("MII")), "made_up", "x");
        var kept = JsonObject.Create(Accepts(key).ToJwkSet().Keys[0])!;
        Assert.Equal(["crv", "kid", "kty", "x", "y"], kept.Select(member => member.Key).Order());
    }

    [Fact]
    [Requirement("R7517-5-01")]
    public void A_bad_key_in_a_downloaded_set_does_not_stop_the_good_ones()
    {
        var set = PublicKeySet.ReadDownloaded(Set(Ec("good"), With(Ec("off"), "y", Base64Url.EncodeToString(new byte[32])), new JsonArray(), With(Ec("odd"), "kty", 5)), 100, out var fault);
        Assert.Equal("good", Assert.Single(set!.Keys).Kid);
        Assert.Empty(fault);
    }

    [Fact]
    [Requirement("R7517-4.5-01", "OIDCC-10.1-04")]
    public void Selects_by_kid_or_the_only_key_that_fits()
    {
        var set = Accepts(Ec("a"), Ec("b"), Rsa("c"));
        Assert.Equal("b", Assert.IsType<KeySelection.Found>(set.Select("b", "ES256")).Key.Kid);
        Assert.Equal("c", Assert.IsType<KeySelection.Found>(set.Select(null, "PS256")).Key.Kid);
        Assert.IsType<KeySelection.Ambiguous>(set.Select(null, "ES256"));
        Assert.IsType<KeySelection.NoneFits>(set.Select(null, "ES512"));
        Assert.IsType<KeySelection.NoneFits>(set.Select("a", "PS256"));
        Assert.IsType<KeySelection.UnknownKid>(set.Select("z", "ES256"));
    }
}
