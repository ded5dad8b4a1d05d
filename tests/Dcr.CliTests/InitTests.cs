using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary><c>dcr init</c>: a few answers, and a server runs in the folder that it leaves.</summary>
[Requirement("P-CLI-INIT")]
public sealed partial class InitTests : IDisposable
{
    private readonly DcrTool _tool = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _tool.Dispose();

    [Fact]
    public async Task Leaves_a_folder_in_which_a_server_runs_and_its_first_commands_work()
    {
        var issuer = $"http://127.0.0.1:{Ports.Free()}";
        var answer = await _tool.SucceedAsync("init", "server", "--issuer", issuer, "--onboarding-client", "north.directory", "--scope", "read write");
        var folder = _tool.PathOf("server");
        var settings = await _tool.ShellAsync("cd server; set -a; . ./dcr.env; set +a; echo \"$ASPNETCORE_URLS\"; echo \"$Dcr__Issuer\"; echo \"$Dcr__SeedFile\"");
        var values = settings.Out.Split('\n');
        await using var server = await ServerProcess.StartAsync(["--urls", values[0], "--Dcr:Issuer", values[1], "--Dcr:SeedFile", values[2]], folder);

        var readme = await File.ReadAllTextAsync(Path.Combine(folder, "README.md"), Cancelled);
        var commands = Block().Match(readme).Groups[1].Value;
        Assert.All(commands.Split('\n', StringSplitOptions.RemoveEmptyEntries), command => Assert.Contains(command, answer.Out, StringComparison.Ordinal));
        var run = await _tool.ShellAsync($"cd server\n{commands}");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Contains("north.directory", run.Out, StringComparison.Ordinal);
        Assert.Equal("read write", (string?)(await _tool.JsonAsync("client", "show"))["scope"]);
    }

    [Fact]
    public async Task Keeps_keys_to_their_owner_and_out_of_git()
    {
        await _tool.SucceedAsync("init", "server", "--yes");
        foreach (var key in new[] { "admin.pem", "partner-directory.pem" })
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_tool.PathOf($"server/keys/{key}")));
        }
        var git = await _tool.ShellAsync("cd server && git init -q . && mkdir data && touch data/dcr.db && git add -A && git ls-files");
        Assert.Equal([".gitignore", "README.md", "dcr.env", "seed.json"], git.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("\"d\"", await File.ReadAllTextAsync(_tool.PathOf("server/seed.json"), Cancelled), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asks_three_questions_and_asks_again_where_an_answer_cannot_be()
    {
        var answer = await _tool.RunOnTerminalAsync(80, "as.example\nhttps://as.example/\n\nread dcr.admin\nread\n", "init", "server");
        Assert.True(answer.ExitCode == 0, answer.ToString());
        Assert.Equal(2, answer.Error.Split("By which URL do clients know the server? [http://localhost:5080]").Length - 1);
        Assert.Equal(1, answer.Error.Split("Who may register clients first?").Length - 1);
        Assert.Contains("dcr.admin is for this server's own use", answer.Error, StringComparison.Ordinal);
        var settings = await File.ReadAllLinesAsync(_tool.PathOf("server/dcr.env"), Cancelled);
        Assert.Contains("Dcr__Issuer=https://as.example", settings);
        Assert.Contains("ASPNETCORE_URLS=http://localhost:5080", settings);
        var seed = JsonNode.Parse(await File.ReadAllTextAsync(_tool.PathOf("server/seed.json"), Cancelled))!;
        Assert.Equal("[\"read\"]", seed["clients"]![1]!["registration_policy"]!["scope"]!["allowed"]!.ToJsonString());
    }

    [Theory]
    [InlineData("--issuer", "http://as.example")]
    [InlineData("--issuer", "https://as.example?tenant=1")]
    [InlineData("--issuer", "https://as.example/$(id)")]
    [InlineData("--onboarding-client", "admin")]
    [InlineData("--onboarding-client", "../key")]
    [InlineData("--scope", "dcr")]
    [InlineData("--scope", "\"")]
    [InlineData("--force")]
    public async Task Rejects_what_cannot_be_and_writes_nothing(params string[] arguments)
    {
        // Without --yes and without a terminal there is nobody to ask, either.
        var answer = await _tool.RunAsync(["init", "server", .. arguments, .. arguments.Length > 1 ? new[] { "--yes" } : []]);
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.False(Directory.Exists(_tool.PathOf("server")));
    }

    [Fact]
    public async Task Replaces_nothing_unless_it_is_told_to()
    {
        await _tool.SucceedAsync("init", "server", "--yes");
        var before = await File.ReadAllTextAsync(_tool.PathOf("server/seed.json"), Cancelled);
        Assert.Equal(ExitCode.Usage, (await _tool.RunAsync("init", "server", "--yes")).ExitCode);
        Assert.Equal(before, await File.ReadAllTextAsync(_tool.PathOf("server/seed.json"), Cancelled));
        await _tool.SucceedAsync("init", "server", "--yes", "--force");
        Assert.NotEqual(before, await File.ReadAllTextAsync(_tool.PathOf("server/seed.json"), Cancelled));
    }

    [GeneratedRegex("```bash\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
