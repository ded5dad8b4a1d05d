using System.CommandLine;

namespace Dcr.Cli;

/// <summary>One run of a command: its options, the terminal, and the profiles of the user.</summary>
internal sealed class CommandRun(ParseResult parsed)
{
    public Terminal Terminal { get; } = new(parsed.GetValue(CommonOptions.Json));

    public ProfileStore Profiles { get; } = ProfileStore.Default;

    public TimeProvider Time { get; } = TimeProvider.System;

    public bool IsVerbose => Get(CommonOptions.Verbose);

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T Get<T>(Argument<T> argument) => parsed.GetRequiredValue(argument);

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
