using System.Text.RegularExpressions;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary>The README's part on the command: every block of it, as it is printed, one after another.</summary>
public sealed partial class ReadmeTests
{
    private const string Server = "http://localhost:5080";

    [Fact]
    [Requirement("P-CLI-HELP")]
    public async Task Everything_works_as_written()
    {
        using var tool = new DcrTool();
        var address = $"http://127.0.0.1:{Ports.Free()}";
        await using var server = await ServerProcess.StartAsync(
            ["--urls", address, "--Dcr:Jwks:AllowHttp", "true", "--Dcr:Jwks:AllowPrivateNetworks", "true"], tool.Folder);

        var answer = await tool.ShellAsync(string.Join('\n', await BlocksAsync("bash")).Replace(Server, address, StringComparison.Ordinal));

        Assert.True(answer.ExitCode == 0, answer.ToString());
        foreach (var text in new[] { "\"read write\"", "revoked", "refused, as it should be", "client.registered" })
        {
            Assert.Contains(text.Trim('"'), answer.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Requirement("P-CLI-HELP")]
    public async Task Is_installed_as_written()
    {
        using var tool = new DcrTool();
        var install = (await BlocksAsync("console"))[0]
            // What the tests were built from, into this test's folders.
            .Replace("src/Dcr.Cli ", $"'{Path.Combine(Repository.Root, "src", "Dcr.Cli")}' --no-build -p:PortableTool=true --configuration {Configuration} ", StringComparison.Ordinal)
            .Replace("--global", "--tool-path tools", StringComparison.Ordinal);

        var answer = await tool.ShellOfProcessesAsync($"{install}\ntools/dcr --version\ntools/dcr keys new key.pem");

        Assert.True(answer.ExitCode == 0, answer.ToString());
        Assert.True(File.Exists(tool.PathOf("key.pem")));
    }

    private static string Configuration => AppContext.BaseDirectory.Contains("Release", StringComparison.Ordinal) ? "Release" : "Debug";

    private static async Task<List<string>> BlocksAsync(string language)
    {
        var readme = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md"), TestContext.Current.CancellationToken);
        var section = readme.Split("\n## ").Single(part => part.StartsWith("The `dcr` command\n", StringComparison.Ordinal));
        return [.. Block().Matches(section).Where(match => match.Groups["language"].Value == language).Select(match => match.Groups["script"].Value)];
    }

    [GeneratedRegex("```(?<language>bash|console)\n(?<script>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
