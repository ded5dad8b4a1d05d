using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary><c>dcr admin key-sets keys add</c>, <c>activate</c>, <c>retire</c> and <c>withdraw</c>: the life of a hosted key.</summary>
internal static class KeySetKeysCommands
{
    private const string DefaultEnd = "1h";

    private static readonly Argument<string> s_set = new("set") { Description = "The id of the key set" };

    private static readonly Argument<string> s_kid = new("kid") { Description = "The kid of the key" };

    private static readonly Argument<string> s_file = new("file")
    {
        Description = "The public key: a JWK, a JWK Set of one or PEM; or the private key, of which only the public half is sent",
    };

    private static readonly Option<string?> s_until = new("--until")
    {
        Description = EndTime.Description + " (default: in an hour)",
        HelpName = "time",
    };

    public static Command Add() => new LeafCommand(
        "add",
        "Add a key: it is published, and not yet to be used",
        new Example("dcr admin key-sets keys add \"$SET\" partner.pem", "its kid is its thumbprint, unless the file says another"))
        .With(s_set, s_file)
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
        {
            var set = run.Get(s_set);
            var keys = await PublicKeyFile.ReadAsync(run.Get(s_file), run, cancellationToken);
            var key = keys.Count == 1
                ? keys[0]
                : throw CommandFailure.Usage($"{run.Get(s_file)} has {keys.Count} keys. Add one at a time.");
            var added = await api.PostAsync($"key-sets/{AdminApi.Part(set)}/keys", key, cancellationToken);
            run.Terminal.Show(added);
            run.Terminal.Note(
                $"Once everybody has seen it: dcr admin key-sets keys activate {ShellWord.Of(set)} "
                    + $"{ShellWord.Last((string)added["kid"]!)}");
        });

    public static Command Activate() => new LeafCommand(
        "activate",
        "Let a key be used",
        new Example("dcr admin key-sets keys activate \"$SET\" 2026-07", "the key before it may still be used"))
        .With(s_set, s_kid)
        .DoesAsAdministrator((run, api, cancellationToken) => ChangeAsync(run, api, "activate", body: null, cancellationToken));

    public static Command Retire() => new LeafCommand(
        "retire",
        "Give a key an end; until then it can be used",
        new Example("dcr admin key-sets keys retire \"$SET\" 2026-01 --until 7d", "for a week more"))
        .With(s_set, s_kid, s_until)
        .DoesAsAdministrator((run, api, cancellationToken) =>
        {
            var end = EndTime.Of(run.Get(s_until) ?? DefaultEnd, run.Time.GetUtcNow());
            return ChangeAsync(
                run, api, "retire", new JsonObject { ["until"] = end.ToString("O", CultureInfo.InvariantCulture) }, cancellationToken);
        });

    public static Command Withdraw() => new LeafCommand(
        "withdraw",
        "End a key at once and permanently",
        new Example("dcr admin key-sets keys withdraw \"$SET\" 2026-01 --yes", "it was stolen"))
        .With(s_set, s_kid, CommonOptions.Yes)
        .DoesAsAdministrator((run, api, cancellationToken) =>
        {
            run.Confirm($"Withdraw the key {run.Get(s_kid)} of {run.Get(s_set)} permanently?");
            return ChangeAsync(run, api, "withdraw", body: null, cancellationToken);
        });

    private static async Task ChangeAsync(
        CommandRun run, AdminApi api, string action, JsonObject? body, CancellationToken cancellationToken) =>
        run.Terminal.Show(
            await api.PostAsync(
                $"key-sets/{AdminApi.Part(run.Get(s_set))}/keys/{AdminApi.Part(run.Get(s_kid))}/{action}", body, cancellationToken));
}
