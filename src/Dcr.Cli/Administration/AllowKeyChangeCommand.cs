using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr admin clients allow-key-change</c>.</summary>
internal static class AllowKeyChangeCommand
{
    private static readonly Argument<string> s_id = new("id") { Description = "The client_id" };

    public static Command Create() => new LeafCommand(
        "allow-key-change",
        "For a day, let a client that has lost its keys register others once, without proving one it had",
        new Example("dcr admin clients allow-key-change \"$CLIENT\"", "it changes them itself: dcr client update"))
        .With(s_id)
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
            run.Terminal.Show(
                await api.PostAsync($"clients/{AdminApi.Part(run.Get(s_id))}/allow-key-change", body: null, cancellationToken)));
}
