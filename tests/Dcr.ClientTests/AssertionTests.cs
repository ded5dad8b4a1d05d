using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>RFC 7523 section 3 and RFC 9449 section 4.2: the JWTs that are made here.</summary>
public sealed class AssertionTests
{
    private static readonly FakeTimeProvider s_time = new(DateTimeOffset.FromUnixTimeSeconds(1_800_000_000));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SigningAlgorithm.ES256)]
    [InlineData(SigningAlgorithm.ES384)]
    [InlineData(SigningAlgorithm.ES512)]
    [InlineData(SigningAlgorithm.PS256)]
    [InlineData(SigningAlgorithm.RS256)]
    public async Task An_assertion_is_for_the_issuer_lasts_a_minute_and_is_signed_as_it_says(SigningAlgorithm algorithm)
    {
        using var key = ClientKey.Generate(algorithm);

        var jwt = Jwt.Parse(await ClientAssertion.CreateAsync(new ClientCredentials("partner", key), "https://as.example", s_time, Cancellation));

        Assert.Equal(algorithm.ToString(), jwt.Header["alg"]!.GetValue<string>());
        Assert.Equal("client-authentication+jwt", jwt.Header["typ"]!.GetValue<string>());
        Assert.Equal(key.PublicJwk.Kid, jwt.Header["kid"]!.GetValue<string>());
        Assert.Equal("partner", jwt["iss"]);
        Assert.Equal("partner", jwt["sub"]);
        Assert.Equal("https://as.example", jwt.Claims["aud"]!.GetValue<string>());
        Assert.Equal(1_800_000_000, jwt.Claims["iat"]!.GetValue<long>());
        Assert.Equal(1_800_000_060, jwt.Claims["exp"]!.GetValue<long>());
        Assert.True(jwt.IsSignedBy(key.PublicJwk));
    }

    [Fact]
    public async Task No_two_assertions_have_one_jti()
    {
        using var key = ClientKey.Generate();
        var client = new ClientCredentials("partner", key);
        var seen = new HashSet<string?>();
        for (var i = 0; i < 100; i++)
        {
            Assert.True(seen.Add(Jwt.Parse(await ClientAssertion.CreateAsync(client, "https://as.example", s_time, Cancellation))["jti"]));
        }
        Assert.All(seen, jti => Assert.True(Base64Url.DecodeFromChars(jti).Length >= 16));
    }

    [Theory]
    [InlineData(SigningAlgorithm.ES256)]
    [InlineData(SigningAlgorithm.PS256)]
    public async Task A_proof_is_for_one_request_and_shows_the_public_key_alone(SigningAlgorithm algorithm)
    {
        using var key = ClientKey.Generate(algorithm);

        var jwt = Jwt.Parse(await DpopProof.CreateAsync(
            key, HttpMethod.Post, new Uri("https://api.example/orders?page=2#top"), "the-token", "the-nonce", s_time, Cancellation));

        Assert.Equal("dpop+jwt", jwt.Header["typ"]!.GetValue<string>());
        Assert.Equal("POST", jwt["htm"]);
        Assert.Equal("https://api.example/orders", jwt["htu"]);
        Assert.Equal("the-nonce", jwt["nonce"]);
        Assert.Equal(Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes("the-token"))), jwt["ath"]);
        Assert.Equal(1_800_000_000, jwt.Claims["iat"]!.GetValue<long>());
        Assert.NotEmpty(jwt["jti"]!);
        string[] members = algorithm == SigningAlgorithm.ES256 ? ["crv", "kty", "x", "y"] : ["e", "kty", "n"];
        Assert.Equal(members, jwt.Header["jwk"]!.AsObject().Select(member => member.Key).Order(StringComparer.Ordinal));
        Assert.True(jwt.IsSignedBy(key.PublicJwk));
    }

    [Fact]
    public async Task A_key_that_is_elsewhere_signs_through_the_interface()
    {
        var key = new RemoteKey();

        var jwt = Jwt.Parse(await ClientAssertion.CreateAsync(new ClientCredentials("partner", key), "https://as.example", s_time, Cancellation));

        Assert.True(jwt.IsSignedBy(key.PublicJwk));
    }
}

/// <summary>A key service that shows nothing but the public half.</summary>
internal sealed class RemoteKey : ISigningKey
{
    private readonly ECDsa _vault = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public RemoteKey() => PublicJwk = PublicJwk.FromECDsa(_vault);

    public SigningAlgorithm Algorithm => SigningAlgorithm.ES256;

    public PublicJwk PublicJwk { get; }

    public async ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return _vault.SignData(data.Span, HashAlgorithmName.SHA256);
    }
}
