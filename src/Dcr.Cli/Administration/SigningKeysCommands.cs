using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary><c>dcr admin signing-keys list</c> and <c>rotate</c>: the server's own keys.</summary>
internal static class SigningKeysCommands
{
    private static readonly Option<bool> s_emergency = new("--emergency")
    {
        Description = "The new key signs at once, and no key before it is trusted any more: every token that was signed with one is "
            + "refused",
    };

    public static Command List() => new LeafCommand(
        "list",
        "List the keys that the server signs tokens with",
        new Example("dcr admin signing-keys list", "the one in use, the next and those before"))
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
            run.Terminal.ShowList(
                await api.GetAsync("signing-keys", cancellationToken), "kid", "alg", "state", "?activates_at", "?retires_at"));

    public static Command Rotate() => new LeafCommand(
        "rotate",
        "Make the server's next key before its time",
        new Example("dcr admin signing-keys rotate", "announced first and then used; no token notices"),
        new Example(
            "dcr admin signing-keys rotate --emergency",
            "after a theft; it asks first, and does nothing where nobody can answer",
            ExitCode.Usage))
        .With(s_emergency, CommonOptions.Yes)
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
        {
            var emergency = run.Get(s_emergency);
            if (emergency)
            {
                run.Confirm("Every token of every client will be refused, and each must ask for another. Trust no key before the new one?");
            }
            run.Terminal.Show(await api.PostAsync("signing-keys/rotate", new JsonObject { ["emergency"] = emergency }, cancellationToken));
        });
}
