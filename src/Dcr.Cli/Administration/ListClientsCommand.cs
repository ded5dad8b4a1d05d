using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr admin clients list</c>.</summary>
internal static class ListClientsCommand
{
    private static readonly Option<string?> s_status = new Option<string?>("--status") { Description = "Only these: active, suspended, revoked or expired", HelpName = "status" }
        .AcceptOnlyFromAmong("active", "suspended", "revoked", "expired");

    private static readonly Option<string?> s_audienceSeen = new Option<string?>("--assertion-audience-seen") { Description = "Only those whose assertions were last addressed to the token_endpoint, or to the issuer", HelpName = "audience" }
        .AcceptOnlyFromAmong("token_endpoint", "issuer");

    public static Command Create() => new LeafCommand(
        "list",
        "List clients, newest first",
        new Example("dcr admin clients list", "the newest 50"),
        new Example("dcr admin clients list --onboarding-client partner-directory --status active --all", "everybody whom one client has brought in and who may still work"),
        new Example("dcr admin clients list --assertion-audience-seen token_endpoint --json | jq -r '.items[].client_id'", "who would be locked out if assertions had to name the issuer"))
        .With(s_status, s_audienceSeen)
        .WithOrigin()
        .WithLimit()
        .DoesAsAdministrator((run, api, cancellationToken) =>
        {
            var query = OriginOptions.Read(run);
            if (run.Get(s_status) is { } status)
            {
                query["status"] = status;
            }
            if (run.Get(s_audienceSeen) is { } seen)
            {
                query["assertion_audience_seen"] = seen;
            }
            return Listing.ShowAsync(run, api, "clients", query, ["client_id", "status", "metadata.client_name", "created_at", "last_used_at", "origin.onboarding_client"], cancellationToken);
        });
}
