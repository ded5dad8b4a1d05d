using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Xunit;

namespace Dcr.CliTests.Support;

/// <summary>What the examples of <c>--help</c> take for granted: the files they name, and the profiles.</summary>
internal static class ExampleFolder
{
    private const string ServerOfExamples = "http://localhost:5080";

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
        await tool.SucceedAsync("keys", "new", "partner.pem");
        await tool.SucceedAsync("keys", "new", "partner-rsa.pem", "--alg", "RS256");
        await WritePkcs12Async(tool.PathOf("partner.p12"));
        await tool.SucceedAsync("token", "-p", "directory", "--scope", "dcr", "--out", "initial.token");
        switch (path)
        {
            case "dcr register":
                break;
            case "dcr client keys activate" or "dcr client keys retire" or "dcr client keys withdraw":
                await HostAsync(tool, server, isNextActive: path != "dcr client keys activate");
                break;
            case var _ when path.StartsWith("dcr client ", StringComparison.Ordinal):
                await tool.SucceedAsync("keys", "new", "next.pem");
                await tool.SucceedAsync("register", "--via", "directory", "--scope", "read");
                await tool.SucceedAsync("register", "--via", "directory", "-p", "partner", "--key", "partner.pem");
                break;
            case "dcr profile remove":
                await tool.SucceedAsync("register", "--via", "directory", "-p", "old");
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
        await tool.SucceedAsync("keys", "new", "old.pem");
        await tool.SucceedAsync("keys", "new", "next.pem");
        var uri = await server.HostKeyAsync(tool.PathOf("old.pem"), "old");
        await tool.SucceedAsync("register", "--via", "directory", "--key", "old.pem", "--kid", "old", "--jwks-uri", uri);
        await tool.SucceedAsync("client", "keys", "add", "next.pem", "--next-kid", "next");
        if (isNextActive)
        {
            await tool.SucceedAsync("client", "keys", "activate", "next");
        }
    }

    private static async Task WritePkcs12Async(string path)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=partner", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        await File.WriteAllBytesAsync(path, certificate.Export(X509ContentType.Pkcs12, "secret"), TestContext.Current.CancellationToken);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
