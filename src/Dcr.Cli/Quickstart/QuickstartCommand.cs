using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Dcr.Cli;

/// <summary><c>dcr quickstart</c>: a partner and a phone go through everything at a running server, told step by step.</summary>
internal static class QuickstartCommand
{
    private static readonly (string Command, string Says)[] s_next =
    [
        ("dcr admin audit --limit 20", "what the server has kept of this"),
        ("dcr quickstart --verbose", "the same with what is in each request"),
        ("dcr admin onboarding add --help", "let in a party of your own"),
        ("dcr register --help", "and register its first client"),
    ];

    public static Command Create() => new LeafCommand(
        "quickstart",
        "See the whole flow at a running server, every request explained: a partner and a phone come in, renew keys, are stopped",
        new Example(
            "dcr quickstart --server http://localhost:5080 --client-id admin --key data/admin.jwk",
            "as the administrator that the server made at its first start"),
        new Example("dcr quickstart", "the same, where that is remembered as the profile admin"),
        new Example("dcr quickstart --json | jq -r '.steps[] | .title, .shown[]'", "what was shown, without the requests"))
        .WithCredentials()
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var start = run.Time.GetTimestamp();
        var narration = new Narration(run.Terminal, run.IsVerbose);
        using var connection = await Connection.OpenAsync(run, cancellationToken, AdminApi.DefaultProfile);
        connection.Through = narration.Through;
        using var admin = await AdminApi.OpenAsync(connection, cancellationToken);
        await using var story = new QuickstartStory(connection.Dcr, admin, run.Terminal, narration, run.Time);
        try
        {
            await story.TellAsync(cancellationToken);
        }
        finally
        {
            Show(run, connection.Server, story, narration, run.Time.GetElapsedTime(start));
        }
    }

    private static void Show(CommandRun run, string server, QuickstartStory story, Narration narration, TimeSpan elapsed)
    {
        if (run.Terminal.IsJson)
        {
            run.Terminal.Show(new JsonObject
            {
                ["server"] = server,
                ["clients"] = story.Clients,
                ["ok"] = narration.IsOk,
                ["elapsed_ms"] = (long)elapsed.TotalMilliseconds,
                ["steps"] = narration.ToJson(),
            });
        }
        else if (narration.IsOk)
        {
            run.Terminal.Out.MarkupLineInterpolated(
                CultureInfo.InvariantCulture,
                $"\n[green]Everything was as promised[/], in {elapsed.TotalSeconds:F1} s and {narration.Requests} requests.");
            run.Terminal.Out.WriteLine();
            run.Terminal.ShowTable(story.Summary, ["who", "came in", "key", "became", "?client_id"]);
            run.Terminal.Out.WriteLine();
            run.Terminal.Out.WriteLine("To try next:");
            foreach (var (command, says) in s_next)
            {
                run.Terminal.Out.MarkupLineInterpolated($"  {command.PadRight(s_next.Max(next => next.Command.Length))}  [grey]{says}[/]");
            }
        }
    }
}
