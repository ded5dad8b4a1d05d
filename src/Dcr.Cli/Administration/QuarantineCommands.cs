using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>
/// <c>dcr admin quarantine list</c>, <c>show</c>, <c>add</c> and <c>remove</c>: keys that are blocked on the whole server.
/// </summary>
internal static class QuarantineCommands
{
    private const string Sample = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

    private static readonly Argument<string> s_thumbprint = new("thumbprint") { Description = "The key's SHA-256 thumbprint (RFC 7638)" };

    private static readonly Option<string> s_reason = new("--reason")
    {
        Description = "Why, for whoever finds the key refused",
        Required = true,
    };

    public static Command List() => new LeafCommand(
        "list",
        "List the keys that are blocked on the whole server",
        new Example("dcr admin quarantine list", "with who blocked them, and why"))
        .WithLimit()
        .DoesAsAdministrator((run, api, cancellationToken) => Listing.ShowAsync(
            run, api, "quarantined-keys", new Dictionary<string, string>(),
            [
                "thumbprint",
                "reason",
                "quarantined_at",
                "quarantined_by",
            ], cancellationToken));

    public static Command Show() => new LeafCommand(
        "show",
        "Show a key that is blocked on the whole server",
        new Example($"dcr admin quarantine show {Sample}", "why it is refused"))
        .With(s_thumbprint)
        .DoesAsAdministrator(async (run, api, cancellationToken) => run.Terminal.Show(await api.GetAsync(Path(run), cancellationToken)));

    public static Command Add() => new LeafCommand(
        "add",
        "Block a key on the whole server at once, whoever has it or registers it",
        new Example(
            $"dcr admin quarantine add {Sample} --reason 'found in a repository'",
            "no client proves itself with it, and none registers it"))
        .With(s_thumbprint, s_reason)
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
            run.Terminal.Show(
                await api.PutAsync(Path(run), new JsonObject { ["reason"] = run.Get(s_reason) }, ifMatch: null, cancellationToken)));

    public static Command Remove() => new LeafCommand(
        "remove",
        "Let a key be used again on the whole server",
        new Example($"dcr admin quarantine remove {Sample}", "it was not stolen after all"))
        .With(s_thumbprint)
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
        {
            await api.DeleteAsync(Path(run), cancellationToken);
            run.Terminal.Show(new JsonObject { ["thumbprint"] = run.Get(s_thumbprint), ["removed"] = true });
        });

    private static string Path(CommandRun run) => $"quarantined-keys/{AdminApi.Part(run.Get(s_thumbprint))}";
}
