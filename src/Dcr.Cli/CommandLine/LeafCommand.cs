using System.CommandLine;

namespace Dcr.Cli;

/// <param name="CommandLine">As it is typed. Every example is run by a test.</param>
/// <param name="Says">What it does, in a few words.</param>
/// <param name="ExitCode">What it ends with, where that is not success.</param>
internal sealed record Example(string CommandLine, string Says, int ExitCode = Cli.ExitCode.Success);

/// <summary>A command that does something, with examples for its help.</summary>
internal sealed class LeafCommand(string name, string description, params IReadOnlyList<Example> examples) : Command(name, description)
{
    public IReadOnlyList<Example> Examples => examples;

    /// <summary>What the command does; it succeeds unless it throws.</summary>
    public LeafCommand Does(Func<CommandRun, CancellationToken, Task> action) => Does(async (run, cancellationToken) =>
    {
        await action(run, cancellationToken);
        return ExitCode.Success;
    });

    /// <summary>What the command does, with the <see cref="ExitCode"/> it ends with.</summary>
    public LeafCommand Does(Func<CommandRun, CancellationToken, Task<int>> action)
    {
        SetAction(async (parsed, cancellationToken) =>
        {
            var run = new CommandRun(parsed);
            try
            {
                return await action(run, cancellationToken);
            }
            catch (Exception exception)
            {
                // The one place where a failure becomes text.
                var report = FailureReport.Of(exception, cancellationToken, run.Doctor);
                run.Terminal.ShowFailure(report);
                return report.ExitCode;
            }
        });
        return this;
    }
}
