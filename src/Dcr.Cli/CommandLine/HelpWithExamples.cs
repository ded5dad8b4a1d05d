using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Dcr.Cli;

/// <summary>The help of a command: the usual, then its examples; of <c>dcr</c> itself also what holds for all.</summary>
internal sealed class HelpWithExamples(HelpAction usual) : SynchronousCommandLineAction
{
    public override int Invoke(ParseResult parseResult)
    {
        usual.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
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
}
