using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary><c>dcr keys</c>: private keys go into files that only the user can read, and nothing else does.</summary>
public sealed class KeysTests : IDisposable
{
    private readonly DcrTool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Theory]
    [InlineData("ES256", "EC")]
    [InlineData("PS256", "RSA")]
    [Requirement("P-CLI")]
    public async Task Makes_a_key_that_only_its_owner_can_read(string alg, string kty)
    {
        var key = await _tool.JsonAsync("keys", "new", "key.pem", "--alg", alg);

        Assert.Equal(alg, (string?)key["alg"]);
        Assert.Equal(kty, (string?)key["jwk"]!["kty"]);
        Assert.Equal((string?)key["thumbprint"], (string?)key["kid"]);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_tool.PathOf("key.pem")));
        Assert.Contains("BEGIN PRIVATE KEY", await File.ReadAllTextAsync(_tool.PathOf("key.pem"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Keeps_a_key_file_that_is_there_unless_it_is_told_to_replace_it()
    {
        await _tool.SucceedAsync("keys", "new", "key.pem");
        var before = await File.ReadAllTextAsync(_tool.PathOf("key.pem"), TestContext.Current.CancellationToken);

        var refused = await _tool.RunAsync("keys", "new", "key.pem");

        Assert.Equal(ExitCode.Usage, refused.ExitCode);
        Assert.Contains("--force", refused.Error, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(_tool.PathOf("key.pem"), TestContext.Current.CancellationToken));
        await _tool.SucceedAsync("keys", "new", "key.pem", "--force");
        Assert.NotEqual(before, await File.ReadAllTextAsync(_tool.PathOf("key.pem"), TestContext.Current.CancellationToken));
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Encrypts_a_key_and_reads_it_with_its_password_from_a_file_or_the_environment()
    {
        await File.WriteAllTextAsync(_tool.PathOf("password"), "correct horse\n", TestContext.Current.CancellationToken);
        var made = await _tool.JsonAsync("keys", "new", "key.pem", "--encrypt", "--key-password-file", "password");
        Assert.Contains("BEGIN ENCRYPTED PRIVATE KEY", await File.ReadAllTextAsync(_tool.PathOf("key.pem"), TestContext.Current.CancellationToken), StringComparison.Ordinal);

        var nobodyToAsk = await _tool.RunAsync("keys", "show", "key.pem");
        Assert.Equal(ExitCode.Usage, nobodyToAsk.ExitCode);
        Assert.Contains("DCR_KEY_PASSWORD", nobodyToAsk.Error, StringComparison.Ordinal);

        _tool.Environment["DCR_KEY_PASSWORD"] = "wrong";
        Assert.Equal(ExitCode.Usage, (await _tool.RunAsync("keys", "show", "key.pem")).ExitCode);
        _tool.Environment["DCR_KEY_PASSWORD"] = "correct horse";
        Assert.Equal((string?)made["kid"], (string?)(await _tool.JsonAsync("keys", "show", "key.pem"))["kid"]);
    }

    [Theory]
    [InlineData("pkcs8.pem")]
    [InlineData("encrypted.pem")]
    [InlineData("pkcs8.der")]
    [InlineData("encrypted.der")]
    [InlineData("sec1.pem")]
    [InlineData("sec1.der")]
    [InlineData("store.p12")]
    [InlineData("key.jwk")]
    [Requirement("P-CLI")]
    public async Task Imports_every_usual_form(string file)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        await File.WriteAllBytesAsync(_tool.PathOf(file), Write(key, file), TestContext.Current.CancellationToken);
        _tool.Environment["DCR_KEY_PASSWORD"] = "secret";

        var imported = await _tool.JsonAsync("keys", "import", file, "imported.pem");

        Assert.Equal(Dcr.Client.PublicJwk.FromECDsa(key).Thumbprint(), (string?)imported["thumbprint"]);
        using var again = ECDsa.Create();
        again.ImportFromPem(await File.ReadAllTextAsync(_tool.PathOf("imported.pem"), TestContext.Current.CancellationToken));
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Imports_pkcs1_with_the_algorithm_that_is_named()
    {
        using var key = RSA.Create(2048);
        await File.WriteAllBytesAsync(_tool.PathOf("pkcs1.der"), key.ExportRSAPrivateKey(), TestContext.Current.CancellationToken);

        var imported = await _tool.JsonAsync("keys", "import", "pkcs1.der", "imported.pem", "--alg", "RS256");

        Assert.Equal("RS256", (string?)imported["jwk"]!["alg"]);
    }

    [Theory]
    [InlineData("there is no key in here")]
    [InlineData("{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    [Requirement("P-CLI-EXIT")]
    public async Task Rejects_a_file_without_a_key_and_repeats_nothing_of_it(string text)
    {
        await File.WriteAllTextAsync(_tool.PathOf("bad"), text, TestContext.Current.CancellationToken);

        var answer = await _tool.RunAsync("keys", "import", "bad", "imported.pem");

        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("bad", answer.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", answer.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_tool.PathOf("imported.pem")));
    }

    [Fact]
    [Requirement("P-CLI-SECRET")]
    public async Task Shows_the_private_half_only_when_it_is_asked_to()
    {
        await _tool.SucceedAsync("keys", "new", "key.pem");
        using var key = ECDsa.Create();
        key.ImportFromPem(await File.ReadAllTextAsync(_tool.PathOf("key.pem"), TestContext.Current.CancellationToken));
        var d = System.Buffers.Text.Base64Url.EncodeToString(key.ExportParameters(true).D);

        foreach (var shown in new[] { await _tool.SucceedAsync("keys", "show", "key.pem"), await _tool.SucceedAsync("keys", "show", "key.pem", "--json"), await _tool.SucceedAsync("keys", "jwks", "key.pem") })
        {
            Assert.DoesNotContain(d, shown.Out + shown.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("PRIVATE", shown.Out, StringComparison.Ordinal);
            Assert.DoesNotContain("\"d\"", shown.Out, StringComparison.Ordinal);
        }
        using var copy = ECDsa.Create();
        copy.ImportFromPem((await _tool.SucceedAsync("keys", "show", "key.pem", "--show-secret")).Out);
        Assert.Equal(key.ExportParameters(true).D, copy.ExportParameters(true).D);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Writes_several_public_keys_as_one_set()
    {
        await _tool.SucceedAsync("keys", "new", "old.pem");
        await _tool.SucceedAsync("keys", "new", "new.pem");

        Assert.Equal(2, (await _tool.JsonAsync("keys", "jwks", "old.pem", "new.pem", "--out", "jwks.json"))["kids"]!.AsArray().Count);

        var set = JsonNode.Parse(await File.ReadAllTextAsync(_tool.PathOf("jwks.json"), TestContext.Current.CancellationToken))!;
        Assert.Equal(2, set["keys"]!.AsArray().Select(key => (string?)key!["kid"]).Distinct().Count());
    }

    [Fact]
    [Requirement("P-CLI-SECRET")]
    public async Task Warns_of_a_key_that_others_can_read()
    {
        await _tool.SucceedAsync("keys", "new", "key.pem");
        File.SetUnixFileMode(_tool.PathOf("key.pem"), UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Assert.Contains("chmod 600", (await _tool.SucceedAsync("keys", "show", "key.pem")).Error, StringComparison.Ordinal);
    }

    private static byte[] Write(ECDsa key, string file)
    {
        var encryption = new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);
        var point = key.ExportParameters(true);
        return file switch
        {
            "pkcs8.pem" => System.Text.Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem()),
            "encrypted.pem" => System.Text.Encoding.ASCII.GetBytes(key.ExportEncryptedPkcs8PrivateKeyPem("secret", encryption)),
            "pkcs8.der" => key.ExportPkcs8PrivateKey(),
            "encrypted.der" => key.ExportEncryptedPkcs8PrivateKey("secret", encryption),
            "sec1.pem" => System.Text.Encoding.ASCII.GetBytes(key.ExportECPrivateKeyPem()),
            "sec1.der" => key.ExportECPrivateKey(),
            "store.p12" => WithCertificate(key),
            _ => System.Text.Encoding.UTF8.GetBytes(new JsonObject
            {
                ["kty"] = "EC",
                ["crv"] = "P-256",
                ["x"] = System.Buffers.Text.Base64Url.EncodeToString(point.Q.X),
                ["y"] = System.Buffers.Text.Base64Url.EncodeToString(point.Q.Y),
                ["d"] = System.Buffers.Text.Base64Url.EncodeToString(point.D),
            }.ToJsonString()),
        };
    }

    private static byte[] WithCertificate(ECDsa key)
    {
        using var certificate = new CertificateRequest("CN=partner", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        return certificate.Export(X509ContentType.Pkcs12, "secret");
    }
}
