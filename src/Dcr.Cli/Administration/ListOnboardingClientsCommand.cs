using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr admin onboarding list</c>.</summary>
internal static class ListOnboardingClientsCommand
{
    public static Command Create() => new LeafCommand(
        "list",
        "List who may register clients, newest first",
        new Example("dcr admin onboarding list", "and what for"))
        .WithLimit()
        .DoesAsAdministrator((run, api, cancellationToken) => Listing.ShowAsync(
            run, api, "onboarding-clients", new Dictionary<string, string>(),
            [
                "client_id",
                "status",
                "client_name",
                "?registration_policy.scope.allowed",
                "?created_at",
                "?registration_policy.max_live_clients",
            ], cancellationToken));
}
