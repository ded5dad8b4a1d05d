using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Dcr.Cli;

/// <summary>What all commands have in common: how help looks, and what a wrong command line ends with.</summary>
internal static class CommandLineRules
{
    public static RootCommand Apply(RootCommand root)
    {
        root.SetAction(parsed => HelpOf(parsed).Invoke(parsed));
        root.Options.Add(CommonOptions.Json);
        root.Options.Add(CommonOptions.Verbose);
        var help = root.Options.OfType<HelpOption>().Single();
        // Slashes are how paths begin here, and would be among the completions.
        help.Aliases.Remove("/?");
        help.Aliases.Remove("/h");
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        root.Directives.OfType<SuggestDirective>().Single().Action = new Completions();
        return root;
    }

    public static SynchronousCommandLineAction HelpOf(ParseResult parsed) =>
        (SynchronousCommandLineAction)parsed.RootCommandResult.Command.Options.OfType<HelpOption>().Single().Action!;

    /// <param name="parsed">The command line.</param>
    /// <param name="typed">The same, word by word.</param>
    /// <param name="surroundings">Where it runs.</param>
    /// <param name="cancellationToken">Stops it, as Ctrl+C does.</param>
    public static async Task<int> InvokeAsync(
        ParseResult parsed, IReadOnlyList<string> typed, Surroundings surroundings, CancellationToken cancellationToken)
    {
        var unrecognized = UnrecognizedWords.Find(parsed, typed);
        if (unrecognized.Count == 0 && parsed.Action is not ParseErrorAction)
        {
            return await parsed.InvokeAsync(surroundings, cancellationToken);
        }
        // What else is wrong may be so because of the word that nobody knows.
        foreach (var fault in unrecognized.Count > 0 ? unrecognized : parsed.Errors.Select(error => error.Message))
        {
            await surroundings.Error.WriteLineAsync($"error: {Printable.Of(fault)}");
        }
        await surroundings.Error.WriteLineAsync($"next:  {PathOf(parsed)} --help");
        return ExitCode.Usage;
    }

    public static string PathOf(ParseResult parsed)
    {
        var names = new List<string>();
        for (var at = parsed.CommandResult; at is not null; at = at.Parent as System.CommandLine.Parsing.CommandResult)
        {
            names.Insert(0, at.Command is RootCommand ? "dcr" : at.Command.Name);
        }
        return string.Join(' ', names);
    }
}
