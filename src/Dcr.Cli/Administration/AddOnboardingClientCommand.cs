using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary><c>dcr admin onboarding add</c>: the first thing an administrator does.</summary>
internal static class AddOnboardingClientCommand
{
    private static readonly Argument<string> s_entry = new("entry")
    {
        Description = "With --key or --jwks-uri: the client_id to give it. Else a JSON file with the whole entry, as in the seed file; - "
            + "for standard input",
    };

    private static readonly Option<bool> s_dryRun = new("--dry-run")
    {
        Description = "Only write the entry to standard output, for a seed file or to be changed first",
    };

    public static Command Create() => new LeafCommand(
        "add",
        "Let somebody register clients",
        new Example(
            "dcr admin onboarding add north-directory --key north.pem --scope \"read write\"",
            "whoever holds this key; its clients may have these scopes"),
        new Example(
            "dcr admin onboarding add south-directory --key south.json --scope read --idle-lifetime 90d --dry-run > south-directory.json",
            "the same as a file, with all of the policy to be changed in it"),
        new Example("dcr admin onboarding add south-directory.json", "from that file"))
        .With(s_entry)
        .WithEntry()
        .With(s_dryRun)
        .WithAdministrator()
        .Does(RunAsync);

    private static async Task RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var entry = await ReadAsync(run, cancellationToken);
        if (run.Get(s_dryRun))
        {
            // JSON whether it is asked for or not; and no server is needed to make a seed file.
            run.Terminal.WriteJson(entry);
            return;
        }
        await AsAdministrator.RunAsync(run, async api =>
        {
            var added = await api.PostAsync("onboarding-clients", entry, cancellationToken);
            run.Terminal.Show(added);
            run.Terminal.Note(
                "Whoever holds its key may register clients now: dcr profile set NAME --server URL --client-id "
                    + $"{(string?)added["client_id"]} --key FILE, and dcr register --via NAME");
        }, cancellationToken);
    }

    private static async Task<JsonObject> ReadAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var entry = run.Get(s_entry);
        if (OnboardingEntry.IsGiven(run))
        {
            return await OnboardingEntry.MakeAsync(run, entry, cancellationToken);
        }
        if (entry != "-" && !File.Exists(run.PathOf(entry)))
        {
            throw CommandFailure.Usage(
                $"There is no file {entry}.",
                "Where it is to be the client_id, say how the client proves itself: --key FILE or --jwks-uri URL");
        }
        var json = await MetadataOptions.ReadObjectAsync(run, entry, cancellationToken);
        return json["clients"] is null
            ? json
            : throw CommandFailure.Usage(
                $"{entry} is a whole seed file. Add one entry at a time.", $"jq '.clients[0]' {entry} | {run.CommandPath} -");
    }
}
