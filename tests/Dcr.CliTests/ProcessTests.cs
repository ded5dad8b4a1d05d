using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary>The executable itself: what only a process has. Everything else is tested without one.</summary>
public sealed class ProcessTests(CliServer server) : IDisposable
{
    private readonly DcrTool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    [Requirement("P-CLI-EXIT")]
    public async Task Ends_with_the_exit_code_that_is_promised()
    {
        await _tool.KnowAsync(server, "default");
        Assert.Equal(ExitCode.Success, (await _tool.StartAsync("token", "--scope", "read")).ExitCode);
        Assert.Equal(ExitCode.Usage, (await _tool.StartAsync("token", "--scoope", "read")).ExitCode);
        Assert.Equal(ExitCode.Refused, (await _tool.StartAsync("token", "--scope", "dcr.admin")).ExitCode);
        Assert.Equal(ExitCode.Unreachable, (await _tool.StartAsync("token", "--server", $"http://127.0.0.1:{Ports.Free()}")).ExitCode);
    }

    [Fact]
    [Requirement("P-CLI-SECRET")]
    public async Task Keeps_the_result_and_all_else_apart_and_reads_standard_input()
    {
        await _tool.KnowAsync(server, "default");
        var answer = await _tool.ShellOfProcessesAsync("dcr assert --show-secret 2> facts.txt | dcr doctor - --offline --json 2> errors.txt");
        Assert.True(answer.ExitCode == 0, answer.ToString());
        Assert.Equal("unknown", (string?)answer.Json["verdict"]);
        Assert.Contains("warehouse-7", await File.ReadAllTextAsync(_tool.PathOf("facts.txt"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Empty(await File.ReadAllTextAsync(_tool.PathOf("errors.txt"), TestContext.Current.CancellationToken));
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Finds_files_and_profiles_from_where_it_is_started()
    {
        var answer = await _tool.ShellOfProcessesAsync("""
            mkdir -p below
            cd below
            dcr keys new key.pem --json
            DCR_CONFIG_DIR=config dcr profile set here --server https://as.example --key key.pem
            ls config/profiles key.pem
            """);
        Assert.True(answer.ExitCode == 0, answer.ToString());
        Assert.Contains("here.json", answer.Out, StringComparison.Ordinal);
    }
}
