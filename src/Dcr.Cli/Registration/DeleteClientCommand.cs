using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary><c>dcr client delete</c>: ends the client and forgets its profile (RFC 7592 section 2.3).</summary>
internal static class DeleteClientCommand
{
    public static Command Create() =>
        new LeafCommand(
            "delete",
            "End the client permanently: its registration, its keys and its tokens",
            new Example("dcr client delete -p partner --yes", "without being asked"))
        .WithRegistration()
        .With(CommonOptions.Yes)
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        using var connection = await Connection.OpenAsync(run, cancellationToken);
        var registration = await RegisteredClient.OpenAsync(connection, cancellationToken);
        var clientId = await registration.FindClientIdAsync(cancellationToken);
        run.Confirm($"Permanently end the client {clientId} at {connection.Server}?");
        await registration.DeleteAsync(cancellationToken: cancellationToken);
        run.Profiles.Remove(connection.ProfileName);
        run.Terminal.Show(new JsonObject { ["client_id"] = clientId, ["deleted"] = true });
        run.Terminal.Note($"The profile {connection.ProfileName} is forgotten with it; its key file stays.");
    }
}
