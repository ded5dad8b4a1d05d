using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>
/// <c>dcr admin key-sets list</c>, <c>create</c>, <c>show</c> and <c>delete</c>: key sets that the server hosts for clients without a URL.
/// </summary>
internal static class KeySetsCommands
{
    private static readonly Argument<string> s_set = new("set") { Description = "The id of the key set" };

    public static Command List() => new LeafCommand(
        "list",
        "List the key sets that the server hosts",
        new Example("dcr admin key-sets list", "with the state of each key"))
        .WithLimit()
        .DoesAsAdministrator((run, api, cancellationToken) => Listing.ShowAsync(
            run, api, "key-sets", new Dictionary<string, string>(), ["id", "jwks_uri", "keys"], cancellationToken, ForPeople));

    public static Command Create() => new LeafCommand(
        "create",
        "Make a key set, which is a jwks_uri to register",
        new Example("SET=$(dcr admin key-sets create --json | jq -r .id)", "empty; keys come next: dcr admin key-sets keys add"))
        .DoesAsAdministrator(
            async (run, api, cancellationToken) => Show(run, await api.PostAsync("key-sets", body: null, cancellationToken)));

    public static Command Show() => new LeafCommand(
        "show",
        "Show a key set: the state of its keys, their last use, and which can be retired",
        new Example("dcr admin key-sets show \"$SET\"", "before a key is retired"))
        .With(s_set)
        .DoesAsAdministrator(
            async (run, api, cancellationToken) =>
                Show(run, await api.GetAsync($"key-sets/{AdminApi.Part(run.Get(s_set))}", cancellationToken)));

    public static Command Delete() => new LeafCommand(
        "delete",
        "Delete a key set; clients that use it cannot prove themselves any more",
        new Example("dcr admin key-sets delete \"$SET\" --yes", "without being asked"))
        .With(s_set, CommonOptions.Yes)
        .DoesAsAdministrator(async (run, api, cancellationToken) =>
        {
            var id = run.Get(s_set);
            run.Confirm($"Clients that use the key set {id} cannot prove themselves any more. Delete it?");
            await api.DeleteAsync($"key-sets/{AdminApi.Part(id)}", cancellationToken);
            run.Terminal.Show(new JsonObject { ["id"] = id, ["deleted"] = true });
        });

    private static void Show(CommandRun run, JsonObject set) =>
        run.Terminal.ShowWithList(set, "keys", "kid", "state", "?until", "?last_used_at", "?safe_to_retire", "?thumbprint");

    private static JsonObject ForPeople(JsonObject set) => new()
    {
        ["id"] = set["id"]?.DeepClone(),
        ["jwks_uri"] = set["jwks_uri"]?.DeepClone(),
        ["keys"] = string.Join(", ", (set["keys"]?.AsArray() ?? []).Select(key => $"{key!["kid"]} {key["state"]}")),
    };
}
