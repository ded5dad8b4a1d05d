using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Dcr.Cli;

/// <summary>How a word may go on: commands and values first, then options.</summary>
internal sealed class Completions : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var line = parseResult.Tokens.LastOrDefault(token => token.Type != TokenType.Directive)?.Value ?? "";
        var position = parseResult.RootCommandResult.Command is RootCommand root
            && parseResult.GetResult(root.Directives.OfType<SuggestDirective>().Single())?.Values is [var typed, ..]
            && int.TryParse(typed, NumberStyles.None, CultureInfo.InvariantCulture, out var given)
                ? given
                : line.Length;
        var completions = parseResult.RootCommandResult.Command.Parse(
            line, parseResult.Configuration).GetCompletions(Math.Min(position, line.Length));
        foreach (var completion in completions.Select(item => item.Label).OrderBy(label => label.StartsWith('-')))
        {
            parseResult.InvocationConfiguration.Output.WriteLine(completion);
        }
        return ExitCode.Success;
    }
}
