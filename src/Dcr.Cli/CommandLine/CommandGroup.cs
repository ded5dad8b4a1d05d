using System.CommandLine;

namespace Dcr.Cli;

/// <summary>A command that only has others under it; by itself it shows its help.</summary>
internal sealed class CommandGroup : Command
{
    public CommandGroup(string name, string description)
        : base(name, description)
    {
        SetAction(parsed => CommandLineRules.HelpOf(parsed).Invoke(parsed));
    }
}
