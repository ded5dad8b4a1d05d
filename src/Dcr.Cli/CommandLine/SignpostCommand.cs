using System.CommandLine;

namespace Dcr.Cli;

/// <summary>A command that people look for, and that is in several others: it says which.</summary>
internal sealed class SignpostCommand : Command
{
    /// <param name="name">What people look for.</param>
    /// <param name="description">For help.</param>
    /// <param name="commands">Where it is, and what each is about.</param>
    public SignpostCommand(string name, string description, params IReadOnlyList<(string Command, string Says)> commands)
        : base(name, description)
    {
        Commands = commands;
        SetAction(parsed => CommandLineRules.HelpOf(parsed).Invoke(parsed));
    }

    public IReadOnlyList<(string Command, string Says)> Commands { get; }
}
