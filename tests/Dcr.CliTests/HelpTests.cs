using System.CommandLine;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary>What <c>--help</c> teaches is true: every example of it is run, as it is printed, against a real server.</summary>
public sealed class HelpTests(CliServer server)
{
    public static TheoryData<string> Commands => [.. Leaves(DcrCommand.Root, "dcr").Select(leaf => leaf.Path)];

    [Theory]
    [MemberData(nameof(Commands))]
    [Requirement("P-CLI-HELP")]
    public async Task Examples_work_as_they_are_printed(string path)
    {
        var command = Leaves(DcrCommand.Root, "dcr").Single(leaf => leaf.Path == path).Command;
        using var tool = new DcrTool();
        var help = await tool.SucceedAsync([.. path.Split(' ')[1..], "--help"]);
        Assert.NotEmpty(command.Examples);
        await ExampleFolder.PrepareAsync(tool, server, path);
        foreach (var example in command.Examples)
        {
            Assert.Contains(example.CommandLine, help.Out, StringComparison.Ordinal);
            var answer = await tool.ShellAsync(ExampleFolder.Here(example.CommandLine, server));
            Assert.True(answer.ExitCode == example.ExitCode, $"{example.CommandLine}\n{answer}");
        }
    }

    [Fact]
    [Requirement("P-CLI-HELP")]
    public async Task Help_of_the_command_itself_names_exit_codes_and_environment()
    {
        using var tool = new DcrTool();
        var answer = await tool.SucceedAsync();
        Assert.Contains("Exit codes:", answer.Out, StringComparison.Ordinal);
        Assert.Contains("DCR_PROFILE", answer.Out, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-HELP")]
    public async Task Help_says_which_arguments_may_be_left_out_and_where_keys_are()
    {
        using var tool = new DcrTool();
        var root = (await tool.SucceedAsync("--help")).Out;
        Assert.Contains("  doctor [<file>]  ", root, StringComparison.Ordinal);
        Assert.Contains("  new <file>  ", (await tool.SucceedAsync("keys", "--help")).Out, StringComparison.Ordinal);
        var keys = (await tool.SucceedAsync("admin", "keys", "--help")).Out;
        Assert.Contains("admin keys", keys, StringComparison.Ordinal);
        foreach (var command in new[] { "dcr admin clients keys", "dcr admin quarantine", "dcr admin key-sets keys", "dcr admin signing-keys" })
        {
            Assert.Contains(command, keys, StringComparison.Ordinal);
            Assert.StartsWith("Description:", (await tool.SucceedAsync([.. command.Split(' ')[1..], "--help"])).Out, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("keys", "nwe")]
    [InlineData("keys", "new")]
    [InlineData("token", "--scoope", "read")]
    [Requirement("P-CLI-EXIT")]
    public async Task Rejects_a_command_line_that_is_wrong(params string[] arguments)
    {
        using var tool = new DcrTool();
        var answer = await tool.RunAsync(arguments);
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Empty(answer.Out);
        Assert.Contains("--help", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("error: Unrecognized command dcr keys nwe. Did you mean dcr keys new?", "keys", "nwe", "--help")]
    [InlineData("error: Unrecognized option --scoope. Did you mean --scope?", "token", "--scoope", "--help")]
    [InlineData("error: Unrecognized option --force-it. If it is a value, put -- before it.", "keys", "jwks", "a.pem", "--force-it")]
    [InlineData("error: Unrecognized option --yess. Did you mean --yes?", "profile", "remove", "--yess")]
    [InlineData("error: Unrecognized option --vreify.", "doctor", "--vreify")]
    [Requirement("P-CLI-EXIT")]
    public async Task Takes_no_word_that_it_does_not_know_for_something_else(string error, params string[] arguments)
    {
        using var tool = new DcrTool();
        var answer = await tool.RunAsync(arguments);
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Empty(answer.Out);
        Assert.StartsWith(error, answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-EXIT")]
    public async Task Takes_a_word_with_a_dash_as_it_is_after_two_dashes_and_as_the_value_of_an_option()
    {
        using var tool = new DcrTool();
        await tool.SucceedAsync("keys", "new", "--", "--odd.pem");
        var thumbprint = "-" + new string('I', 42);
        Assert.Contains($"no key file {thumbprint}", (await tool.RunAsync("keys", "show", thumbprint)).Error, StringComparison.Ordinal);
        await tool.SucceedAsync("keys", "jwks", "--", "--odd.pem");
        Assert.Equal("-k1", (string?)(await tool.JsonAsync("profile", "set", "odd", "--kid", "-k1"))["kid"]);
        Assert.Equal("--k1", (string?)(await tool.JsonAsync("profile", "set", "odd", "--kid=--k1"))["kid"]);
    }

    [Fact]
    [Requirement("P-CLI-HELP")]
    public async Task Completes_commands_before_options()
    {
        using var tool = new DcrTool();
        var words = (await tool.SucceedAsync("[suggest:4]", "dcr ")).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("token", words);
        Assert.Contains("--json", words);
        Assert.True(Array.FindLastIndex(words, word => !word.StartsWith('-')) < Array.FindIndex(words, word => word.StartsWith('-')), string.Join(' ', words));
    }

    [Fact]
    [Requirement("P-CLI-HELP")]
    public async Task Completes_commands_options_and_the_names_of_profiles()
    {
        using var tool = await new DcrTool().KnowAsync(server, "directory");
        Assert.Contains("profile", (await tool.StartAsync("[suggest:7]", "dcr pro")).Out.Split('\n'));
        Assert.Contains("--scope", (await tool.StartAsync("[suggest:13]", "dcr token --s")).Out.Split('\n'));
        Assert.Contains("directory", (await tool.StartAsync("[suggest:13]", "dcr token -p ")).Out.Split('\n'));
    }

    private static IEnumerable<(string Path, LeafCommand Command)> Leaves(Command command, string path) => command is LeafCommand leaf
        ? [(path, leaf)]
        : command.Subcommands.SelectMany(child => Leaves(child, $"{path} {child.Name}"));
}
