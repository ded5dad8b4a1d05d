using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr admin clients list</c>.</summary>
internal static class ListClientsCommand
{
    private static readonly Option<string?> s_status = new Option<string?>("--status")
    {
        Description = "Only these: active, suspended, revoked or expired",
        HelpName = "status",
    }
        .AcceptOnlyFromAmong("active", "suspended", "revoked", "expired");

    public static Command Create() => new LeafCommand(
        "list",
        "List clients, newest first",
        new Example("dcr admin clients list", "the newest 50"),
        new Example(
            "dcr admin clients list --onboarding-client partner-directory --status active --all",
            "everybody whom one client has brought in and who may still work"),
        new Example("dcr admin clients list --status suspended --json | jq -r '.items[].client_id'", "the ids alone, for a script"))
        .With(s_status)
        .WithOrigin()
        .WithLimit()
        .DoesAsAdministrator((run, api, cancellationToken) =>
        {
            var query = OriginOptions.Read(run);
            if (run.Get(s_status) is { } status)
            {
                query["status"] = status;
            }
            return Listing.ShowAsync(
                run,
                api,
                "clients",
                query,
                ["client_id", "status", "metadata.client_name", "?created_at", "?last_used_at", "?origin.onboarding_client"],
                cancellationToken);
        });
}
