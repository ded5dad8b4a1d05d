using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary><c>dcr profile remove</c>: a registered client goes on at the server, but can be managed no more.</summary>
internal static class RemoveProfileCommand
{
    private static readonly Argument<string> s_name = new("name") { Description = "The profile" };

    public static Command Create() =>
        new LeafCommand(
            "remove", "Forget a profile; its key file stays", new Example("dcr profile remove old --yes", "without being asked"))
        .With(s_name, CommonOptions.Yes)
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var name = run.Get(s_name);
        _ = await run.Profiles.FindAsync(name, cancellationToken)
            ?? throw CommandFailure.Usage($"There is no profile {name}.", "dcr profile list");
        if (await run.Profiles.RegistrationOf(name).LoadAsync(cancellationToken) is { ClientId: { } clientId })
        {
            run.Confirm(
                $"The client {clientId} stays registered, and nobody can read, change or delete it any more but an administrator (dcr "
                    + "client delete ends it). Forget its registration access token?");
        }
        run.Profiles.Remove(name);
        run.Terminal.Show(new JsonObject { ["profile"] = name, ["removed"] = true });
    }
}
