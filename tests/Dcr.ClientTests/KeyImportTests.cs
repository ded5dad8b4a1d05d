using System.Security.Cryptography;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>Keys in every usual form, made by openssl.</summary>
public sealed class KeyImportTests : IDisposable
{
    private const string Password = "correct horse";

    private readonly OpenSsl _openssl = new();

    public KeyImportTests() => _openssl.Write("password", Password);

    [Theory]
    [InlineData("P-256", SigningAlgorithm.ES256)]
    [InlineData("P-384", SigningAlgorithm.ES384)]
    [InlineData("P-521", SigningAlgorithm.ES512)]
    public async Task Reads_a_PKCS8_PEM_of_each_curve(string curve, SigningAlgorithm algorithm)
    {
        NewEc(curve);
        using var key = ClientKey.FromPem(_openssl.Text("key.pem"));

        Assert.Equal(algorithm, key.Algorithm);
        Assert.Equal(curve, key.PublicJwk.Crv);
        await IsTheKeyOfOpenSslAsync(key);
    }

    [Theory]
    [InlineData(null, SigningAlgorithm.PS256)]
    [InlineData(SigningAlgorithm.RS256, SigningAlgorithm.RS256)]
    public async Task Reads_a_PKCS8_PEM_of_RSA(SigningAlgorithm? asked, SigningAlgorithm algorithm)
    {
        NewRsa();
        using var key = ClientKey.FromPem(_openssl.Text("key.pem"), algorithm: asked);

        Assert.Equal(algorithm, key.Algorithm);
        await IsTheKeyOfOpenSslAsync(key);
    }

    [Fact]
    public async Task Reads_a_SEC1_PEM_also_after_its_parameters_and_in_DER()
    {
        NewEc();
        _openssl.Run("ec -in key.pem -out sec1.pem");
        _openssl.Run("ec -in key.pem -outform DER -out sec1.der");
        _openssl.Run("ecparam -name prime256v1 -out parameters.pem");

        using var pem = ClientKey.FromPem(_openssl.Text("sec1.pem"));
        using var afterParameters = ClientKey.FromPem(_openssl.Text("parameters.pem") + _openssl.Text("sec1.pem"));
        using var der = ClientKey.FromSec1(_openssl.Bytes("sec1.der"));

        await IsTheKeyOfOpenSslAsync(pem);
        await IsTheKeyOfOpenSslAsync(afterParameters);
        await IsTheKeyOfOpenSslAsync(der);
    }

    [Fact]
    public async Task Reads_a_PKCS1_PEM_and_DER()
    {
        NewRsa();
        _openssl.Run("rsa -in key.pem -traditional -out pkcs1.pem");
        _openssl.Run("rsa -in key.pem -traditional -outform DER -out pkcs1.der");

        using var pem = ClientKey.FromPem(_openssl.Text("pkcs1.pem"));
        using var der = ClientKey.FromPkcs1(_openssl.Bytes("pkcs1.der"));

        Assert.Contains("BEGIN RSA PRIVATE KEY", _openssl.Text("pkcs1.pem"), StringComparison.Ordinal);
        await IsTheKeyOfOpenSslAsync(pem);
        await IsTheKeyOfOpenSslAsync(der);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reads_PKCS8_with_a_password_as_PEM_and_DER(bool rsa)
    {
        NewKey(rsa);
        _openssl.Run("pkcs8 -topk8 -v2 aes-256-cbc -in key.pem -out encrypted.pem -passout file:password");
        _openssl.Run("pkcs8 -topk8 -v2 aes-256-cbc -in key.pem -outform DER -out encrypted.der -passout file:password");
        _openssl.Run("pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out plain.der");

        using var pem = ClientKey.FromPem(_openssl.Text("encrypted.pem"), Password);
        using var der = ClientKey.FromPkcs8(_openssl.Bytes("encrypted.der"), Password);
        using var plain = ClientKey.FromPkcs8(_openssl.Bytes("plain.der"));

        await IsTheKeyOfOpenSslAsync(pem);
        await IsTheKeyOfOpenSslAsync(der);
        await IsTheKeyOfOpenSslAsync(plain);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reads_PKCS12(bool rsa)
    {
        NewKey(rsa);
        _openssl.Run("req -x509 -new -key key.pem -subj /CN=client -days 1 -out certificate.pem");
        _openssl.Run("pkcs12 -export -inkey key.pem -in certificate.pem -out key.p12 -passout file:password");

        using var key = ClientKey.FromPkcs12(_openssl.Bytes("key.p12"), Password);

        await IsTheKeyOfOpenSslAsync(key);
        Refuses("password is wrong", () => ClientKey.FromPkcs12(_openssl.Bytes("key.p12"), "wrong"));
        Refuses("PKCS#12", () => ClientKey.FromPkcs12([1, 2, 3], Password));
    }

    [Fact]
    public void Rejects_a_wrong_or_a_missing_password_and_says_so()
    {
        NewEc();
        _openssl.Run("pkcs8 -topk8 -v2 aes-256-cbc -in key.pem -out encrypted.pem -passout file:password");

        Refuses("password is wrong", () => ClientKey.FromPem(_openssl.Text("encrypted.pem"), "wrong"));
        Refuses("its password is needed", () => ClientKey.FromPem(_openssl.Text("encrypted.pem")));
    }

    [Fact]
    public void Rejects_the_old_encryption_of_OpenSSL_and_says_how_to_convert_it()
    {
        NewEc();
        _openssl.Run("ec -in key.pem -aes128 -out old.pem -passout file:password");

        Refuses("openssl pkcs8 -topk8", () => ClientKey.FromPem(_openssl.Text("old.pem"), Password));
    }

    [Theory]
    [InlineData("-algorithm RSA -pkeyopt rsa_keygen_bits:1024", "1024 bits")]
    [InlineData("-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3", "exponent")]
    [InlineData("-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", "only P-256, P-384 and P-521")]
    [InlineData("-algorithm ED25519", "EC or RSA")]
    public void Rejects_a_key_that_is_weak_or_of_another_kind(string kind, string why)
    {
        _openssl.Run($"genpkey {kind} -out key.pem");

        Refuses(why, () => ClientKey.FromPem(_openssl.Text("key.pem")));
    }

    [Fact]
    public void Rejects_what_has_no_private_key()
    {
        NewEc();
        _openssl.Run("pkey -in key.pem -pubout -out public.pem");

        Refuses("no PEM block with a private key", () => ClientKey.FromPem(_openssl.Text("public.pem")));
        Refuses("no PEM block with a private key", () => ClientKey.FromPem("hello"));
        Refuses("PKCS#8", () => ClientKey.FromPkcs8([0x30, 0x00]));
        Refuses("PKCS#1", () => ClientKey.FromPkcs1([0x30, 0x00]));
        Refuses("SEC1", () => ClientKey.FromSec1([0x30, 0x00]));
    }

    [Fact]
    public void Rejects_an_algorithm_that_does_not_go_with_the_key()
    {
        NewEc();
        var ec = _openssl.Text("key.pem");
        NewRsa();
        var rsa = _openssl.Text("key.pem");

        Refuses("ES384 does not go with a key on P-256", () => ClientKey.FromPem(ec, algorithm: SigningAlgorithm.ES384));
        Refuses("ES256 does not go with an RSA key", () => ClientKey.FromPem(rsa, algorithm: SigningAlgorithm.ES256));
    }

    [Fact]
    public async Task What_was_exported_can_be_read_by_openssl_and_here()
    {
        using var key = ClientKey.Generate();
        _openssl.Write("exported.pem", key.ExportPrivatePem(Password));
        _openssl.Run("pkey -in exported.pem -passin file:password -out key.pem");
        using var again = ClientKey.FromPem(key.ExportPrivatePem(Password), Password);
        using var plain = ClientKey.FromPem(key.ExportPrivatePemUnencrypted());

        await IsTheKeyOfOpenSslAsync(key);
        Assert.Equal(key.PublicJwk, again.PublicJwk);
        Assert.Equal(key.PublicJwk, plain.PublicJwk);
    }

    public void Dispose() => _openssl.Dispose();

    private void NewEc(string curve = "P-256") => New($"-algorithm EC -pkeyopt ec_paramgen_curve:{curve}");

    private void NewRsa() => New("-algorithm RSA -pkeyopt rsa_keygen_bits:2048");

    private void NewKey(bool rsa)
    {
        if (rsa)
        {
            NewRsa();
        }
        else
        {
            NewEc();
        }
    }

    private void New(string kind) => _openssl.Run($"genpkey {kind} -out key.pem");

    /// <summary>It signs, and the signature verifies with the public key that openssl sees.</summary>
    private async Task IsTheKeyOfOpenSslAsync(ClientKey key)
    {
        var data = new byte[] { 1, 2, 3 };
        var signature = await key.SignAsync(data, TestContext.Current.CancellationToken);
        var hash = key.Algorithm.ToString()[^3..] switch { "256" => HashAlgorithmName.SHA256, "384" => HashAlgorithmName.SHA384, _ => HashAlgorithmName.SHA512 };
        if (key.PublicJwk.Kty == "EC")
        {
            using var ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(_openssl.PublicKeyOf("key.pem"), out _);
            Assert.True(ecdsa.VerifyData(data, signature, hash));
            return;
        }
        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(_openssl.PublicKeyOf("key.pem"), out _);
        Assert.True(rsa.VerifyData(data, signature, hash, key.Algorithm is SigningAlgorithm.RS256 ? RSASignaturePadding.Pkcs1 : RSASignaturePadding.Pss));
    }

    private static void Refuses(string why, Func<ClientKey> import) =>
        Assert.Contains(why, Assert.Throws<CryptographicException>(import).Message, StringComparison.Ordinal);
}
