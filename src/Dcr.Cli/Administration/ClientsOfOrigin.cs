using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>Stops every client of one origin, or lets them go on: counts, asks, and waits until the server has done it.</summary>
internal static class ClientsOfOrigin
{
    /// <param name="action"><c>revoke</c>, <c>suspend</c> or <c>resume</c>.</param>
    /// <param name="origin">By the server's names.</param>
    /// <param name="onlyCount">Change nothing.</param>
    public static async Task ChangeAsync(
        CommandRun run,
        AdminApi api,
        string action,
        IReadOnlyDictionary<string, string> origin,
        bool onlyCount,
        CancellationToken cancellationToken)
    {
        var path = $"clients:{action}";
        var counted = await api.PostAsync(path, Body(origin, dryRun: true), cancellationToken);
        var matched = (long?)counted["matched"] ?? 0;
        if (onlyCount || matched == 0)
        {
            run.Terminal.Show(counted);
            run.Terminal.Note(onlyCount ? "Nothing was changed." : $"There is nothing to {action}.");
            return;
        }
        var (verb, doing) = action switch
        {
            "revoke" => ("Revoke", "Revoking"),
            "suspend" => ("Suspend", "Suspending"),
            _ => ("Resume", "Resuming"),
        };
        var named = string.Join(", ", origin.Select(member => $"{member.Key} {member.Value}"));
        run.Confirm($"{verb} {Count(matched)} of {named}{(action == "revoke" ? " permanently" : "")}?");
        var begun = await api.PostAsync(path, Body(origin, dryRun: false), cancellationToken);
        run.Terminal.Show(await Operation.FinishAsync(run, api, begun, $"{doing} {Count(matched)}", cancellationToken));
        if (action != "resume" && origin.TryGetValue("onboarding_client", out var onboardingClient))
        {
            run.Terminal.Note(
                $"{onboardingClient} itself may go on registering. Stop that too: dcr admin clients suspend {onboardingClient}");
        }
    }

    private static string Count(long clients) => clients == 1 ? "1 client" : $"{clients} clients";

    private static JsonObject Body(IReadOnlyDictionary<string, string> origin, bool dryRun) => new()
    {
        ["origin"] = new JsonObject(origin.Select(member => KeyValuePair.Create(member.Key, (JsonNode?)member.Value))),
        ["dry_run"] = dryRun,
    };
}
