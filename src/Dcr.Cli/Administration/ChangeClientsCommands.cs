using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr admin clients suspend</c>, <c>resume</c>, <c>revoke</c> and <c>sign-out</c>.</summary>
internal static class ChangeClientsCommands
{
    private static readonly Argument<string[]> s_ids = new("ids")
    {
        Description = "One client_id or several",
        Arity = ArgumentArity.OneOrMore,
    };

    // Or an origin in their place.
    private static readonly Argument<string[]> s_someIds = new("ids")
    {
        Description = "One client_id or several",
        Arity = ArgumentArity.ZeroOrMore,
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<bool> s_dryRun = new("--dry-run") { Description = "With an origin: only count them" };

    public static Command Suspend() => new LeafCommand(
        "suspend",
        "Stop clients for now, at once: by id, or all of one origin",
        new Example("dcr admin clients suspend warehouse-8", "its tokens stop too; dcr admin clients resume lets it go on"),
        new Example(
            "dcr admin clients suspend --software-statement-issuer https://directory.example --dry-run",
            "how many clients that would stop"))
        .With(s_someIds)
        .WithOrigin()
        .With(s_dryRun, CommonOptions.Yes)
        .DoesAsAdministrator((run, api, cancellationToken) => ChangeAsync(run, api, "suspend", isForGood: false, cancellationToken));

    public static Command Resume() => new LeafCommand(
        "resume",
        "Let suspended or expired clients go on: by id, or all of one origin",
        new Example("dcr admin clients resume warehouse-8", "with the keys it had"),
        new Example(
            "dcr admin clients resume --software-statement-issuer https://directory.example --dry-run",
            "how many clients that would let go on"))
        .With(s_someIds)
        .WithOrigin()
        .With(s_dryRun, CommonOptions.Yes)
        .DoesAsAdministrator((run, api, cancellationToken) => ChangeAsync(run, api, "resume", isForGood: false, cancellationToken));

    public static Command Revoke() => new LeafCommand(
        "revoke",
        "End clients permanently, at once: by id, or all of one origin",
        new Example("dcr admin clients revoke warehouse-9 --yes", "its tokens end too, and no other client notices"),
        new Example("dcr admin clients revoke --onboarding-client old-directory --dry-run", "how many clients one client has brought in"),
        new Example("dcr admin clients revoke --onboarding-client old-directory --yes", "all of them, without being asked"))
        .With(s_someIds)
        .WithOrigin()
        .With(s_dryRun, CommonOptions.Yes)
        .DoesAsAdministrator((run, api, cancellationToken) => ChangeAsync(run, api, "revoke", isForGood: true, cancellationToken));

    public static Command SignOut() => new LeafCommand(
        "sign-out",
        "End all tokens that clients have; they may ask for new ones",
        new Example("dcr admin clients sign-out warehouse-8", "after a token of it was seen where it should not be"))
        .With(s_ids)
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
        {
            await EachClient.CheckAsync(api, run.Get(s_ids), cancellationToken);
            await EachClient.PostAsync(run, api, run.Get(s_ids), "sign-out", cancellationToken);
        });

    private static async Task ChangeAsync(CommandRun run, AdminApi api, string action, bool isForGood, CancellationToken cancellationToken)
    {
        var ids = run.Get(s_someIds);
        var origin = OriginOptions.Read(run);
        if (ids.Length > 0 == origin.Count > 0)
        {
            throw CommandFailure.Usage(
                "Which clients? Name their ids, or where they come from: one of the two.", $"{run.CommandPath} --help");
        }
        if (origin.Count > 0)
        {
            await ClientsOfOrigin.ChangeAsync(run, api, action, origin, run.Get(s_dryRun), cancellationToken);
            return;
        }
        if (run.Get(s_dryRun))
        {
            throw CommandFailure.Usage("--dry-run counts the clients of an origin; these are named.");
        }
        await EachClient.CheckAsync(api, ids, cancellationToken);
        if (isForGood)
        {
            run.Confirm($"Revoke {(ids.Length == 1 ? ids[0] : $"{ids.Length} clients")} permanently?");
        }
        await EachClient.PostAsync(run, api, ids, action, cancellationToken);
    }
}
