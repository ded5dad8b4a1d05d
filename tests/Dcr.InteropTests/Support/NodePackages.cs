using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Dcr.InteropTests.Support;

/// <summary>
/// What a <c>package-lock.json</c> names, installed in the user's own data folder: once for each content of the file,
/// whichever clone of the repository asks, so that a fresh clone needs no registry.
/// </summary>
internal static partial class NodePackages
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(10);

    // How npm says that nobody answered. Any other failure is one of the lock file, or of the registry.
    private static readonly string[] s_unreachable =
    [
        "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "EIDLETIMEOUT", "ENETUNREACH", "ENOTFOUND", "ERR_SOCKET_TIMEOUT", "ETIMEDOUT",
    ];

    public static string Npm => OperatingSystem.IsWindows() ? "npm.cmd" : "npm";

    /// <param name="sources">The folder of package.json, package-lock.json and .npmrc.</param>
    /// <returns>The folder that has <c>node_modules</c>, or why there is none to be had here.</returns>
    /// <exception cref="InvalidOperationException">A registry answered, and the installation failed all the same.</exception>
    public static async Task<(string? Folder, string? SkipReason)> InstallAsync(string sources)
    {
        var lockFile = await File.ReadAllBytesAsync(Path.Combine(sources, "package-lock.json"));
        var parent = Directory.CreateDirectory(Path.Combine(UserFolder(), "dcr-interop-tests")).FullName;
        var folder = Path.Combine(parent, Convert.ToHexStringLower(SHA256.HashData(lockFile))[..16]);

        // One installs, the others wait and find it done. The system lets go of the file also when its holder is killed.
        await using (await HoldAsync(folder + ".lock"))
        {
            return Directory.Exists(folder) ? (folder, null) : await InstallAsync(sources, folder);
        }
    }

    private static async Task<(string? Folder, string? SkipReason)> InstallAsync(string sources, string folder)
    {
        // Left over where an installation was killed.
        var partial = folder + ".partial";
        if (Directory.Exists(partial))
        {
            Directory.Delete(partial, recursive: true);
        }
        Directory.CreateDirectory(partial);
        foreach (var name in new[] { "package.json", "package-lock.json", ".npmrc" })
        {
            File.Copy(Path.Combine(sources, name), Path.Combine(partial, name));
        }
        var npm = (await CommandLine.RunAsync(Npm, ["ci", "--prefer-offline"], partial))!;
        if (npm.ExitCode == 0)
        {
            Directory.Move(partial, folder);
            return (folder, null);
        }
        return s_unreachable.Contains(Code().Match(npm.Errors).Groups["code"].Value)
            ? (null, $"The npm registry does not answer, and the packages are not installed yet: {npm.Errors.Trim()}")
            : throw new InvalidOperationException($"npm ci ended with {npm.ExitCode}: {npm.Errors}{npm.Output}");
    }

    private static async Task<FileStream> HoldAsync(string path)
    {
        using var patience = new CancellationTokenSource(s_patience);
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (!patience.IsCancellationRequested)
            {
                await Task.Delay(200);
            }
        }
    }

    private static string UserFolder() =>
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create) is { Length: > 0 } folder
            ? folder
            : Path.GetTempPath();

    [GeneratedRegex(@"^npm (?:error|ERR!) code (?<code>\S+)", RegexOptions.Multiline)]
    private static partial Regex Code();
}
