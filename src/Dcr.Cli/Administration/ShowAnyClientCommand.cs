using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr admin clients show</c>.</summary>
internal static class ShowAnyClientCommand
{
    private static readonly Argument<string> s_id = new("id") { Description = "The client_id" };

    public static Command Create() => new LeafCommand(
        "show",
        "Show a client: what it registered, where it comes from and how it stands",
        new Example("dcr admin clients show warehouse-7", "all that the server knows of it"),
        new Example("dcr admin clients show warehouse-7 --json | jq -r .status", "one member"))
        .With(s_id)
        .DoesAsAdministrator(
            async (run, api, cancellationToken) =>
                run.Terminal.Show(await api.GetAsync($"clients/{AdminApi.Part(run.Get(s_id))}", cancellationToken)));
}
