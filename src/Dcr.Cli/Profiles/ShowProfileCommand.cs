using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr profile show</c>.</summary>
internal static class ShowProfileCommand
{
    private static readonly Argument<string> s_name = new("name") { Description = "The profile", DefaultValueFactory = _ => "default" };

    public static Command Create() =>
        new LeafCommand("show", "Show what a profile remembers", new Example("dcr profile show admin", "server, client and key; no secret"))
        .With(s_name)
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var name = run.Get(s_name);
        var profile = await run.Profiles.FindAsync(name, cancellationToken)
            ?? throw CommandFailure.Usage($"There is no profile {name}.", "dcr profile list");
        run.Terminal.Show(await ProfileFacts.OfAsync(run.Profiles, name, profile, cancellationToken));
    }
}
