using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr admin onboarding show</c>.</summary>
internal static class ShowOnboardingClientCommand
{
    private static readonly Argument<string> s_id = new("id") { Description = "The client_id" };

    public static Command Create() => new LeafCommand(
        "show",
        "Show who may register clients: its entry, and how many live clients it has",
        new Example("dcr admin onboarding show partner-directory", "with its policy"),
        new Example(
            "dcr admin onboarding show partner-directory --json > partner-directory.json",
            "to change it, and give it back: dcr admin onboarding replace"))
        .With(s_id)
        .DoesAsAdministrator(
            async (run, api, cancellationToken) =>
                run.Terminal.Show(await api.GetAsync($"onboarding-clients/{AdminApi.Part(run.Get(s_id))}", cancellationToken)));
}
