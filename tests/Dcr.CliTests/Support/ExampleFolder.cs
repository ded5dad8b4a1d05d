using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Xunit;

namespace Dcr.CliTests.Support;

/// <summary>What the examples of <c>--help</c> take for granted: the files they name, and the profiles.</summary>
internal static class ExampleFolder
{
    private const string ServerOfExamples = "http://localhost:5080";

    // Slow to make, and the same for all.
    private static readonly Lazy<RSA> s_rsa = new(() => RSA.Create(2048));
    private static readonly Lazy<byte[]> s_pkcs12 = new(MakePkcs12);

    public static string Here(string commandLine, CliServer server) => commandLine.Replace(ServerOfExamples, server.Issuer, StringComparison.Ordinal);

    public static async Task PrepareAsync(DcrTool tool, CliServer server, string path)
    {
        if (path.StartsWith("dcr admin ", StringComparison.Ordinal))
        {
            await AdminExamples.PrepareAsync(tool, server, path);
            return;
        }
        var isAboutKeys = path.StartsWith("dcr keys new", StringComparison.Ordinal);
        Directory.CreateDirectory(tool.PathOf("data"));
        File.Copy(server.AdminKey, tool.PathOf("data/admin.jwk"));
        File.Copy(server.DirectoryKey, tool.PathOf("directory.pem"));
        await tool.KnowAsync(server, "admin", "directory");
        if (isAboutKeys)
        {
            return;
        }
        using var partner = await tool.NewKeyAsync("partner.pem");
        await WriteAsync(tool.PathOf("partner-rsa.pem"), Encoding.ASCII.GetBytes(s_rsa.Value.ExportPkcs8PrivateKeyPem()));
        await WriteAsync(tool.PathOf("partner.p12"), s_pkcs12.Value);
        switch (path)
        {
            case "dcr device attest":
                using (await tool.NewKeyAsync("backend.pem"))
                {
                    break;
                }
            case "dcr register":
                await tool.SucceedAsync("token", "-p", "directory", "--scope", "dcr", "--out", "initial.token");
                break;
            case "dcr client keys activate" or "dcr client keys retire" or "dcr client keys withdraw":
                await HostAsync(tool, server, isNextActive: path != "dcr client keys activate");
                break;
            case var _ when path.StartsWith("dcr client ", StringComparison.Ordinal):
                using (await tool.NewKeyAsync("next.pem"))
                {
                    await tool.RegisterAsync(server, scope: "read");
                    await tool.RegisterAsync(server, "partner", "partner.pem");
                }
                break;
            case "dcr profile remove":
                await tool.RegisterAsync(server, "old");
                break;
            case "dcr doctor":
                await tool.KnowAsync(server, "default");
                await tool.SucceedAsync("assert", "--out", "assertion.jwt");
                await tool.SucceedAsync("keys", "jwks", server.WarehouseKey, "--out", "jwks.json");
                using (var old = new TestAssertion("warehouse-7", server.Issuer, DateTimeOffset.UtcNow.AddDays(-1)))
                {
                    await File.WriteAllTextAsync(tool.PathOf("old.jwt"), old.Write(), TestContext.Current.CancellationToken);
                }
                break;
            default:
                await tool.KnowAsync(server, "default");
                break;
        }
    }

    /// <summary>A client whose keys <c>old</c> and <c>next</c> the server hosts.</summary>
    private static async Task HostAsync(DcrTool tool, CliServer server, bool isNextActive)
    {
        using var old = await tool.NewKeyAsync("old.pem");
        using var next = await tool.NewKeyAsync("next.pem");
        var uri = await server.HostKeyAsync(tool.PathOf("old.pem"), "old");
        await tool.SucceedAsync("register", "--via", "directory", "--key", "old.pem", "--kid", "old", "--jwks-uri", uri);
        await tool.SucceedAsync("client", "keys", "add", "next.pem", "--next-kid", "next");
        if (isNextActive)
        {
            await tool.SucceedAsync("client", "keys", "activate", "next");
        }
    }

    private static byte[] MakePkcs12()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=partner", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        return certificate.Export(X509ContentType.Pkcs12, "secret");
    }

    private static async Task WriteAsync(string path, byte[] bytes)
    {
        await File.WriteAllBytesAsync(path, bytes, TestContext.Current.CancellationToken);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
