using System.Diagnostics;
using System.Text.RegularExpressions;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The README's flow, run as it is written.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string[] s_tools = ["bash", "curl", "openssl", "jq", "xxd"];

    [Fact]
    [Requirement("P-INTEROP")]
    public async Task The_whole_flow_by_hand_works_as_written()
    {
        var missing = s_tools.Where(tool => !IsInstalled(tool)).ToList();
        Assert.SkipWhen(missing.Count > 0, $"not installed: {string.Join(", ", missing)}");

        var readme = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md"), TestContext.Current.CancellationToken);
        var address = $"http://127.0.0.1:{DcrServer.FreePort()}";
        var blocks = BashBlock().Matches(readme).Select(match => match.Groups["script"].Value.Replace("http://localhost:5080", address, StringComparison.Ordinal)).ToList();
        var folder = Directory.CreateTempSubdirectory("dcr-readme-").FullName;

        // The server starts where the README says so: after the seed file has been written.
        var seeding = blocks.FindIndex(block => block.Contains("> seed.json", StringComparison.Ordinal)) + 1;
        await RunAsync(folder, blocks.Take(seeding));
        await using (await ServerProcess.StartAsync(["--urls", address, "--Dcr:SeedFile", "seed.json"], folder))
        {
            var output = await RunAsync(folder, blocks);
            Assert.Contains("\"read write\"", output, StringComparison.Ordinal);
            Assert.Contains("\"revoked\"", output, StringComparison.Ordinal);
            Assert.Contains("\"client.registered\"", output, StringComparison.Ordinal);
            Assert.Contains("refused, as it should be", output, StringComparison.Ordinal);
        }
        Directory.Delete(folder, recursive: true);
    }

    private static async Task<string> RunAsync(string folder, IEnumerable<string> blocks)
    {
        // Keys and seed file of the first run stay: the server was started with them.
        var script = "set -euo pipefail\n" + string.Join('\n', blocks).Replace("new_key directory\n", "[ -f directory.pem ] || new_key directory\n", StringComparison.Ordinal);
        var start = new ProcessStartInfo("bash", ["-c", script]) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        using var bash = Process.Start(start)!;
        var errors = bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await bash.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(bash.ExitCode == 0, $"exit code {bash.ExitCode}\n{output}\n{await errors}");
        return output;
    }

    private static bool IsInstalled(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, tool)));

    [GeneratedRegex("```bash\n(?<script>.*?)```", RegexOptions.Singleline)]
    private static partial Regex BashBlock();
}
