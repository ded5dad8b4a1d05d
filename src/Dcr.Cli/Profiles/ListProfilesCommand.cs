using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary><c>dcr profile list</c>.</summary>
internal static class ListProfilesCommand
{
    public static Command Create() =>
        new LeafCommand("list", "List the profiles", new Example("dcr profile list", "all of them")).Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var items = new JsonArray();
        foreach (var name in run.Profiles.List())
        {
            var profile = await run.Profiles.FindAsync(name, cancellationToken) ?? new Profile();
            items.Add(await ProfileFacts.OfAsync(run.Profiles, name, profile, cancellationToken));
        }
        run.Terminal.ShowList(new JsonObject { ["items"] = items }, "profile", "server", "client_id", "?key_file");
    }
}
