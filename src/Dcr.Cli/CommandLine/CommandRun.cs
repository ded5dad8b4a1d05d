using System.CommandLine;

namespace Dcr.Cli;

/// <summary>One run of a command: its options, the terminal, and the profiles of the user.</summary>
internal sealed class CommandRun(ParseResult parsed)
{
    private readonly Surroundings _surroundings = (Surroundings)parsed.InvocationConfiguration;

    public Terminal Terminal => field ??= new Terminal(parsed.GetValue(CommonOptions.Json), _surroundings);

    public EnvironmentVariables Variables => field ??= new EnvironmentVariables(_surroundings.Variable);

    public ProfileStore Profiles => field ??= ProfileStore.Of(_surroundings);

    public TimeProvider Time => _surroundings.Time;

    /// <summary>Standard input.</summary>
    public TextReader Input => _surroundings.Input();

    /// <summary>What says why the server refuses the client of this command, to be run as it is.</summary>
    public string Doctor { get; set; } = "dcr doctor";

    public bool IsVerbose => Get(CommonOptions.Verbose);

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T Get<T>(Argument<T> argument) => parsed.GetRequiredValue(argument);

    /// <summary>The whole path of a file that the user names.</summary>
    public string PathOf(string file) => _surroundings.PathOf(file);

    /// <summary>As it is typed, without options.</summary>
    public string CommandPath => CommandLineRules.PathOf(parsed);

    /// <summary>What cannot be undone is asked for, or said with <c>--yes</c>.</summary>
    public void Confirm(string question)
    {
        if (!Get(CommonOptions.Yes) && !Terminal.Ask(question, $"{CommandPath} ... --yes"))
        {
            throw CommandFailure.Usage("Nothing was done.");
        }
    }
}
