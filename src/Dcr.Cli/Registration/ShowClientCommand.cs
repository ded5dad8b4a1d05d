using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr client show</c>: what is registered (RFC 7592 section 2.1).</summary>
internal static class ShowClientCommand
{
    public static Command Create() =>
        new LeafCommand(
            "show",
            "Show what is registered",
            new Example("dcr client show", "of the client in the default profile"),
            new Example("dcr client show -p partner --json | jq .scope", "one member"))
        .WithRegistration()
        .Does(async (run, cancellationToken) =>
        {
            using var connection = await Connection.OpenAsync(run, cancellationToken);
            var registration = await RegisteredClient.OpenAsync(connection, cancellationToken);
            run.Terminal.Show(ClientFacts.Of(await registration.ReadAsync(cancellationToken)));
        });
}
