using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary><c>dcr admin onboarding replace</c>.</summary>
internal static class ReplaceOnboardingClientCommand
{
    // Members of what is shown that are none of an entry.
    private static readonly string[] s_standing = ["status", "created_at", "version", "live_clients", "suspension"];

    private static readonly Argument<string> s_id = new("id") { Description = "The client_id" };

    private static readonly Argument<string> s_file = new("file")
    {
        Description = "A JSON file with the whole entry, as in the seed file or as dcr admin onboarding show --json gives it; - for "
            + "standard input",
    };

    private static readonly Option<bool> s_suspendWithdrawn = new("--suspend-withdrawn")
    {
        Description = "Also suspend its clients whose software statement is accepted no more",
    };

    public static Command Create() => new LeafCommand(
        "replace",
        "Replace an entry: what it says is in force on the next request",
        new Example(
            "dcr admin onboarding show old-directory --json | jq '.registration_policy.max_live_clients = 1000' | dcr admin onboarding "
                + "replace old-directory -",
            "change one member; refused if somebody else has changed it since it was shown"))
        .With(s_id, s_file, s_suspendWithdrawn)
        .DoesAsAdministrator(RunAsync);

    private static async Task RunAsync(CommandRun run, AdminApi api, CancellationToken cancellationToken)
    {
        var id = run.Get(s_id);
        var path = $"onboarding-clients/{AdminApi.Part(id)}";
        var entry = await MetadataOptions.ReadObjectAsync(run, run.Get(s_file), cancellationToken);
        // The version that the user has seen, where the file tells.
        var version = entry["version"] as JsonValue ?? (await api.GetAsync(path, cancellationToken))["version"];
        var ifMatch = string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");
        foreach (var member in s_standing)
        {
            entry.Remove(member);
        }
        entry.TryAdd("client_id", id);
        var replaced = await api.PutAsync(
            run.Get(s_suspendWithdrawn) ? path + "?suspend_withdrawn=true" : path, entry, ifMatch, cancellationToken);
        if (replaced["suspension"] is JsonObject suspension)
        {
            replaced["suspension"] = (
                await Operation.FinishAsync(run, api, suspension, "Suspending clients", cancellationToken)).DeepClone();
        }
        run.Terminal.Show(replaced);
    }
}
