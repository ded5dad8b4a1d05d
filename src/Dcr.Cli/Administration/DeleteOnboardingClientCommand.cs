using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary><c>dcr admin onboarding delete</c>.</summary>
internal static class DeleteOnboardingClientCommand
{
    private static readonly Argument<string> s_id = new("id") { Description = "The client_id" };

    public static Command Create() => new LeafCommand(
        "delete",
        "Let somebody register no more clients; those that are registered stay",
        new Example("dcr admin onboarding delete west-directory --yes", "without being asked"))
        .With(s_id, CommonOptions.Yes)
        .DoesAsAdministrator(RunAsync);

    private static async Task RunAsync(CommandRun run, AdminApi api, CancellationToken cancellationToken)
    {
        var id = run.Get(s_id);
        var path = $"onboarding-clients/{AdminApi.Part(id)}";
        var liveClients = (long?)(await api.GetAsync(path, cancellationToken))["live_clients"] ?? 0;
        run.Confirm($"The clients that {id} has registered stay, {liveClients} of them live. Let it register no more?");
        await api.DeleteAsync(path, cancellationToken);
        run.Terminal.Show(new JsonObject { ["client_id"] = id, ["deleted"] = true });
        if (liveClients > 0)
        {
            run.Terminal.Note($"End its clients too: dcr admin clients revoke --onboarding-client {ShellWord.Of(id)}");
        }
    }
}
