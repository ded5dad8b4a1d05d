using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr admin operation show</c>.</summary>
internal static class ShowOperationCommand
{
    private static readonly Argument<string> s_id = new("id")
    {
        Description = "As it was said when the clients of an origin were revoked or suspended",
    };

    private static readonly Option<bool> s_wait = new("--wait") { Description = "Until it is done" };

    public static Command Create() => new LeafCommand(
        "show",
        "Show how far the revoking or suspending of many clients has come",
        new Example("dcr admin operation show \"$OPERATION\" --wait", "after Ctrl+C, or from another machine"))
        .With(s_id, s_wait)
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
        {
            var operation = await api.GetAsync($"operations/{AdminApi.Part(run.Get(s_id))}", cancellationToken);
            run.Terminal.Show(
                run.Get(s_wait)
                    ? await Operation.FinishAsync(run, api, operation, "Waiting for the server", cancellationToken)
                    : operation);
        });
}
