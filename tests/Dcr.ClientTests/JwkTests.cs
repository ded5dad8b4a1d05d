using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Dcr.Client;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>JWKs in and out: what is private stays in.</summary>
public sealed class JwkTests
{
    private static readonly string[] s_private = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

    // RFC 7517 appendix A.2: examples of private keys.
    private const string RfcEc = """
        {"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
         "d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","use":"sig","kid":"1"}
        """;

    [Fact]
    public void Computes_the_thumbprint_of_RFC_7638()
    {
        var jwk = new PublicJwk
        {
            Kty = "RSA",
            Alg = "RS256",
            Kid = "2011-04-29",
            E = "AQAB",
            N = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        };

        Assert.Equal("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", jwk.Thumbprint());
    }

    [Theory]
    [InlineData(SigningAlgorithm.ES256, "EC")]
    [InlineData(SigningAlgorithm.PS256, "RSA")]
    [InlineData(SigningAlgorithm.RS256, "RSA")]
    public void A_made_key_shows_its_public_half_only_with_the_thumbprint_as_kid(SigningAlgorithm algorithm, string kty)
    {
        using var key = ClientKey.Generate(algorithm);

        var jwk = JsonNode.Parse(key.PublicJwk.ToJson())!.AsObject();
        var jwks = JsonNode.Parse(key.PublicJwkSet.ToJson())!["keys"]!.AsArray();

        Assert.Equal(kty, jwk["kty"]!.GetValue<string>());
        Assert.Equal(algorithm.ToString(), jwk["alg"]!.GetValue<string>());
        Assert.Equal("sig", jwk["use"]!.GetValue<string>());
        Assert.Equal(key.PublicJwk.Thumbprint(), jwk["kid"]!.GetValue<string>());
        Assert.Equal(43, key.PublicJwk.Kid!.Length);
        Assert.True(JsonNode.DeepEquals(jwk, Assert.Single(jwks)));
        Assert.DoesNotContain(jwk, member => s_private.Contains(member.Key));
    }

    [Fact]
    public void A_key_read_from_a_private_JWK_does_not_show_it()
    {
        using var key = ClientKey.FromJwk(RfcEc);

        Assert.DoesNotContain("870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE", key.PublicJwk.ToJson() + key.PublicJwkSet.ToJson() + key + key.PublicJwk, StringComparison.Ordinal);
        Assert.Equal("1", key.PublicJwk.Kid);
        Assert.Equal(SigningAlgorithm.ES256, key.Algorithm);
        Assert.Equal("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", key.PublicJwk.X);
    }

    [Fact]
    public void A_kid_that_is_given_goes_before_that_of_the_JWK()
    {
        using var key = ClientKey.FromJwk(RfcEc, kid: "mine");

        Assert.Equal("mine", key.PublicJwk.Kid);
    }

    [Theory]
    [InlineData("RS256", SigningAlgorithm.RS256)]
    [InlineData("PS384", SigningAlgorithm.PS384)]
    [InlineData(null, SigningAlgorithm.PS256)]
    public async Task Reads_a_private_JWK_of_RSA_with_its_alg(string? alg, SigningAlgorithm expected)
    {
        using var rsa = RSA.Create(2048);
        using var key = ClientKey.FromJwk(Rsa(rsa, alg).ToJsonString());

        Assert.Equal(expected, key.Algorithm);
        Assert.Equal(key.PublicJwk.Thumbprint(), key.PublicJwk.Kid);
        Assert.NotEmpty(await key.SignAsync(new byte[] { 1 }, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("nonsense", "not JSON")]
    [InlineData("[]", "one JSON object")]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}""", "public key")]
    [InlineData("""{"kty":"oct","k":"AA","d":"AA"}""", "kty oct")]
    [InlineData("""{"kty":"OKP","crv":"Ed25519","x":"AA","d":"AA"}""", "kty OKP")]
    [InlineData("""{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA","d":"AA"}""", "curve secp256k1")]
    [InlineData("""{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}""", "32 bytes")]
    [InlineData("""{"kty":"RSA","n":"AQ","e":"AQAB","d":"AQ"}""", "member p")]
    public void Rejects_a_JWK_that_cannot_be_used_and_says_why(string json, string why) =>
        Assert.Contains(why, Assert.Throws<CryptographicException>(() => ClientKey.FromJwk(json)).Message, StringComparison.Ordinal);

    [Fact]
    public void Rejects_a_JWK_of_a_weak_RSA_key()
    {
        using var rsa = RSA.Create(1024);

        Assert.Contains("1024 bits", Assert.Throws<CryptographicException>(() => ClientKey.FromJwk(Rsa(rsa, null).ToJsonString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rejects_a_JWK_whose_halves_do_not_belong_together()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var jwk = JsonNode.Parse(RfcEc)!.AsObject();
        jwk["d"] = Base64Url.EncodeToString(other.ExportParameters(true).D);

        Assert.Throws<CryptographicException>(() => ClientKey.FromJwk(jwk.ToJsonString()));
    }

    [Fact]
    public void Rejects_a_handle_of_the_platform_that_is_weak()
    {
        using var rsa = RSA.Create(1024);
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1);

        Assert.Throws<CryptographicException>(() => ClientKey.FromRsa(rsa));
        Assert.Throws<CryptographicException>(() => ClientKey.FromECDsa(ecdsa));
    }

    private static JsonObject Rsa(RSA rsa, string? alg)
    {
        var parameters = rsa.ExportParameters(true);
        var jwk = new JsonObject
        {
            ["kty"] = "RSA",
            ["n"] = Base64Url.EncodeToString(parameters.Modulus),
            ["e"] = Base64Url.EncodeToString(parameters.Exponent),
            ["d"] = Base64Url.EncodeToString(parameters.D),
            ["p"] = Base64Url.EncodeToString(parameters.P),
            ["q"] = Base64Url.EncodeToString(parameters.Q),
            ["dp"] = Base64Url.EncodeToString(parameters.DP),
            ["dq"] = Base64Url.EncodeToString(parameters.DQ),
            ["qi"] = Base64Url.EncodeToString(parameters.InverseQ),
        };
        if (alg is not null)
        {
            jwk["alg"] = alg;
        }
        return jwk;
    }
}
