using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The README's flow and its examples, run as they are written: each block after the ones before it, in one shell.</summary>
public sealed partial class ReadmeTests
{
    private const string Server = "http://localhost:5080";
    private const string Api = "http://localhost:5090";
    private const string PartnersPort = "8081";
    private const string Mark = "== ";

    private static readonly string[] s_tools = ["bash", "curl", "openssl", "jq", "xxd", "python3"];

    [Fact]
    [Requirement("P-INTEROP")]
    public async Task The_flow_by_hand_and_both_examples_work_as_written()
    {
        var missing = s_tools.Where(tool => !IsInstalled(tool)).ToList();
        Assert.SkipWhen(missing.Count > 0, $"not installed: {string.Join(", ", missing)}");

        var readme = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md"), TestContext.Current.CancellationToken);
        Assert.Contains(PartnersPort, readme, StringComparison.Ordinal);
        var address = $"http://127.0.0.1:{Ports.Free()}";
        var apiAddress = $"http://127.0.0.1:{Ports.Free()}";
        var partnersPort = Ports.Free().ToString(CultureInfo.InvariantCulture);
        var sections = Sections(readme.Replace(Server, address, StringComparison.Ordinal).Replace(Api, apiAddress, StringComparison.Ordinal).Replace(PartnersPort, partnersPort, StringComparison.Ordinal));
        var folder = Directory.CreateTempSubdirectory("dcr-readme-").FullName;

        // The server starts where the README says so: after the seed file has been written.
        var flow = sections["The whole flow by hand"];
        await RunAsync(folder, [.. flow.Take(flow.FindIndex(block => block.Contains("> seed.json", StringComparison.Ordinal)) + 1)]);
        // With what the README adds for its partner: a web server without TLS, on this machine.
        await using (await ServerProcess.StartAsync(
            ["--urls", address, "--Dcr:SeedFile", "seed.json", "--Dcr:Jwks:AllowHttp", "true", "--Dcr:Jwks:AllowPrivateNetworks", "true"], folder))
        await using (await ServerProcess.StartSampleApiAsync(["--urls", apiAddress, "--Issuer", address, "--Audience", address], folder))
        {
            // Keys and seed file of the first run stay: the server was started with them.
            var blocks = sections.SelectMany(section => section.Value.Prepend($"echo '{Mark}{section.Key}'"))
                .Select(block => block.Replace("new_key directory\n", "[ -f directory.pem ] || new_key directory\n", StringComparison.Ordinal));
            var output = (await RunAsync(folder, [.. blocks])).Split(Mark).ToDictionary(part => part.Split('\n')[0], part => part);
            CheckFlow(output["The whole flow by hand"]);
            CheckPartnerDirectory(output["A partner directory"]);
            CheckMobileApp(output["A mobile app"]);
            CheckApi(output["An API that stops a revoked client"]);
        }
        Directory.Delete(folder, recursive: true);
    }

    private static void CheckFlow(string output) => AssertInOrder(output, "\"read write\"", "\"revoked\"", "\"client.registered\"", "refused, as it should be");

    private static void CheckPartnerDirectory(string output) => AssertInOrder(
        output,
        "\"client_id\": \"trade-directory\"",
        "scope: delete may not be registered; registration_policy.scope allows read write.",
        "\"client_name\": \"ACME Orders\"",
        "\"software_id\": \"acme-orders\"",
        "the same answer",
        "\neyJ",
        "\"status\": \"active\"",
        "\"onboarding_client\": \"trade-directory\"",
        "\"kid\": \"trade\"",
        "\"issuer\": \"https://trade.example\"",
        "\"matched\": 1",
        "\"suspended\": 1",
        "\"done\": true",
        "suspended, as it should be",
        """{"matched":1,"revoked":0,"done":true,"dry_run":true}""",
        """{"matched":1,"revoked":1,"done":true,"dry_run":false}""",
        "\"revoked\"");

    private static void CheckMobileApp(string output)
    {
        AssertInOrder(
            output,
            "\"client_id\": \"orders-app\"",
            "\"token_type\": \"DPoP\"",
            "\"scope\": \"read write\"",
            "\neyJ",
            "\"expires_at\"",
            "\"kid\": \"app-backend\"",
            "\"attester\": \"https://app.example\"",
            "\"invalid_client\"",
            "\"invalid_dpop_proof\"",
            "the access token is bound to",
            "\"invalid_client_metadata\"",
            "the initial access token is bound to",
            "\"invalid_token\"",
            "The access token is bound to a key");
        var expiresAt = DateTimeOffset.Parse(ExpiresAt().Match(output).Groups["time"].Value, CultureInfo.InvariantCulture);
        Assert.Equal(90, (expiresAt - DateTimeOffset.UtcNow).TotalDays, 0.1);
    }

    private static void CheckApi(string output) => AssertInOrder(
        output,
        "first: 200",
        "second: 200",
        "\"platform\"",
        "\"active\":true",
        "\"revoked\"",
        "\"active\":false",
        "\"active\":true",
        "first: 401",
        "second: 200");

    private static void AssertInOrder(string output, params ReadOnlySpan<string> expected)
    {
        var from = 0;
        foreach (var text in expected)
        {
            var found = output.IndexOf(text, from, StringComparison.Ordinal);
            Assert.True(found >= 0, $"{text} is not there, or not in its place:\n{output}");
            from = found + text.Length;
        }
    }

    /// <summary>The bash blocks under each heading that has any.</summary>
    private static Dictionary<string, List<string>> Sections(string readme) => readme.Split("\n## ")
        .Select(section => (Heading: section.Split('\n')[0], Blocks: BashBlock().Matches(section).Select(match => match.Groups["script"].Value).ToList()))
        // Dcr.CliTests runs the part on the command.
        .Where(section => section.Blocks.Count > 0 && section.Heading != "The `dcr` command")
        .ToDictionary(section => section.Heading, section => section.Blocks);

    private static async Task<string> RunAsync(string folder, IReadOnlyList<string> blocks)
    {
        // What the blocks leave running ends with them, also when one fails.
        var script = "set -euo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n" + string.Join('\n', blocks);
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

    [GeneratedRegex("\"expires_at\": \"(?<time>[^\"]+)\"")]
    private static partial Regex ExpiresAt();
}
