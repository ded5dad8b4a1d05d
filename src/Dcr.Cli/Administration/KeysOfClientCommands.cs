using System.CommandLine;

namespace Dcr.Cli;

/// <summary><c>dcr admin clients keys list</c>, <c>quarantine</c> and <c>release</c>.</summary>
internal static class KeysOfClientCommands
{
    private static readonly string[] s_columns = ["kid", "state", "?alg", "?last_used_at", "?thumbprint"];

    // Of clients with a jwks_uri only.
    private static readonly string[] s_download = ["?fetched_at", "?fresh_until", "?last_failure"];

    private static readonly Argument<string> s_id = new("id") { Description = "The client_id" };

    private static readonly Argument<string> s_thumbprint = new("thumbprint")
    {
        Description = "The key's SHA-256 thumbprint (RFC 7638), as the list shows it",
    };

    private static readonly Option<bool> s_keepTokens = new("--keep-tokens")
    {
        Description = "Let the access tokens for APIs live on that the client has; otherwise they end",
    };

    public static Command List() => new LeafCommand(
        "list",
        "List the keys of a client: state, last use and, with a jwks_uri, how fresh they are",
        new Example("dcr admin clients keys list warehouse-7", "what it can authenticate with"))
        .With(s_id)
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
        {
            var keys = await api.GetAsync($"clients/{AdminApi.Part(run.Get(s_id))}/keys", cancellationToken);
            var shown = s_download.Where(name => keys["items"]?.AsArray().Any(key => key![name[1..]] is not null) ?? false);
            run.Terminal.ShowList(keys, [.. s_columns, .. shown]);
        });

    public static Command Quarantine() => new LeafCommand(
        "quarantine",
        "Block one key of a client at once, whatever its URL still serves",
        new Example(
            "dcr admin clients keys quarantine warehouse-8 NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            "the client goes on with its other keys"))
        .With(s_id, s_thumbprint, s_keepTokens)
        .DoesAsAdministrator(
            (run, api, cancellationToken) =>
                ChangeAsync(run, api, run.Get(s_keepTokens) ? "quarantine?end_tokens=false" : "quarantine", cancellationToken));

    public static Command Release() => new LeafCommand(
        "release",
        "Let a blocked key be used again",
        new Example(
            "dcr admin clients keys release warehouse-8 NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "it was not stolen after all"))
        .With(s_id, s_thumbprint)
        .DoesAsAdministrator((run, api, cancellationToken) => ChangeAsync(run, api, "release", cancellationToken));

    private static async Task ChangeAsync(CommandRun run, AdminApi api, string action, CancellationToken cancellationToken) =>
        run.Terminal.Show(
            await api.PostAsync(
                $"clients/{AdminApi.Part(run.Get(s_id))}/keys/{AdminApi.Part(run.Get(s_thumbprint))}/{action}",
                body: null,
                cancellationToken));
}
