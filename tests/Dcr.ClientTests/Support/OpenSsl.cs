using System.Diagnostics;
using Xunit;

namespace Dcr.ClientTests.Support;

/// <summary>The openssl command in a folder of its own: files made by a program that nobody here wrote.</summary>
public sealed class OpenSsl : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dcr-openssl-").FullName;

    public OpenSsl() => Assert.SkipUnless(
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "openssl"))),
        "not installed: openssl");

    public void Run(string arguments)
    {
        var start = new ProcessStartInfo("openssl", arguments.Split(' ')) { WorkingDirectory = _folder, RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"openssl {arguments}: {errors}{output.Result}");
    }

    public void Write(string file, string text) => File.WriteAllText(Path.Combine(_folder, file), text);

    public string Text(string file) => File.ReadAllText(Path.Combine(_folder, file));

    public byte[] Bytes(string file) => File.ReadAllBytes(Path.Combine(_folder, file));

    /// <summary>The key's SubjectPublicKeyInfo, as openssl sees it: what every import must agree with.</summary>
    public byte[] PublicKeyOf(string pem, string name = "public.der")
    {
        Run($"pkey -in {pem} -pubout -outform DER -out {name}");
        return Bytes(name);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
