using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary><c>dcr admin reap</c>.</summary>
internal static class ReapClientsCommand
{
    private static readonly Option<bool> s_dryRun = new("--dry-run") { Description = "Only count them" };

    private static readonly Option<bool> s_all = new("--all")
    {
        Description = "However many they are, and also while the server doubts its clock",
    };

    public static Command Create() => new LeafCommand(
        "reap",
        "Expire clients whose time is over and remove those that expired long ago, now and not within the next minute",
        new Example("dcr admin reap --dry-run", "how many that would be"),
        new Example("dcr admin reap", "the server does it anyway, every minute"))
        .With(s_dryRun, s_all)
        .DoesAsAdministrator(RunAsync);

    private static async Task RunAsync(CommandRun run, AdminApi api, CancellationToken cancellationToken)
    {
        var onlyCount = run.Get(s_dryRun);
        long expired = 0;
        long removed = 0;
        string? withheld;
        bool done;
        do
        {
            var reaped = await api.PostAsync(
                "clients:reap", new JsonObject { ["dry_run"] = onlyCount, ["all"] = run.Get(s_all) }, cancellationToken);
            expired += (long?)reaped["expired"] ?? 0;
            removed += (long?)reaped["removed"] ?? 0;
            done = (bool?)reaped["done"] ?? true;
            withheld = (string?)reaped["withheld"];
        }
        // What is only counted would be counted again.
        while (!done && !onlyCount);
        run.Terminal.Show(new JsonObject { ["expired"] = expired, ["removed"] = removed, ["done"] = done });
        if (withheld is not null)
        {
            run.Terminal.Note($"Others wait: {withheld}. Count them with --dry-run, and end them with --all.");
        }
        if (onlyCount)
        {
            run.Terminal.Note(done ? "Nothing was changed." : "Nothing was changed, and there are more than could be counted at once.");
        }
    }
}
