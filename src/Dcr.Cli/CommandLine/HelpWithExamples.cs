using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Dcr.Cli;

/// <summary>The help of a command: the usual, then its examples; of <c>dcr</c> itself also what holds for all.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        var output = parseResult.InvocationConfiguration.Output;
        output.Write(WithOptionalArguments(Usual(parseResult), parseResult.CommandResult.Command));
        switch (parseResult.CommandResult.Command)
        {
            case LeafCommand { Examples.Count: > 0 } command:
                output.WriteLine("Examples:");
                foreach (var example in command.Examples)
                {
                    output.WriteLine($"  # {example.Says}");
                    output.WriteLine($"  {example.CommandLine}");
                }
                output.WriteLine();
                break;
            case SignpostCommand signpost:
                output.WriteLine("See:");
                var width = signpost.Commands.Max(command => command.Command.Length);
                foreach (var (command, says) in signpost.Commands)
                {
                    output.WriteLine($"  {command.PadRight(width)}  {says}");
                }
                output.WriteLine();
                break;
            case RootCommand:
                output.WriteLine("Environment:");
                output.WriteLine(EnvironmentVariables.Help);
                output.WriteLine();
                output.WriteLine("Exit codes:");
                output.WriteLine(ExitCode.Help);
                output.WriteLine();
                output.WriteLine("Start here: dcr quickstart --help");
                output.WriteLine();
                break;
            default:
                break;
        }
        return ExitCode.Success;
    }

    private string Usual(ParseResult parseResult)
    {
        var configuration = parseResult.InvocationConfiguration;
        var output = configuration.Output;
        using var text = new StringWriter();
        configuration.Output = text;
        try
        {
            usual.Invoke(parseResult);
        }
        finally
        {
            configuration.Output = output;
        }
        return text.ToString();
    }

    // The usual list of commands shows arguments that may be left out as if they had to be there.
    private static string WithOptionalArguments(string help, Command command)
    {
        foreach (var child in command.Subcommands)
        {
            foreach (var argument in child.Arguments.Where(argument => argument.Arity.MinimumNumberOfValues == 0))
            {
                help = help.Replace($"  {child.Name} <{argument.Name}>  ", $"  {child.Name} [<{argument.Name}>]", StringComparison.Ordinal);
            }
        }
        return help;
    }
}
