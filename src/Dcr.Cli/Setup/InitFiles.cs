using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>
/// The files that <c>dcr init</c> leaves: what a server reads where it is started, and the private keys of those who use it.
/// </summary>
internal sealed class InitFiles(string folder)
{
    public const string Administrator = "admin";

    private const string Settings = "dcr.env";
    private const string Seed = "seed.json";
    private const string Ignore = ".gitignore";
    private const string Readme = "README.md";
    private const string Keys = "keys";
    private const string LocalAddress = "http://localhost:5080";
    private const int TokenLifetimeSeconds = 300;

    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public string Folder => folder;

    /// <summary>Each file by its name in the folder.</summary>
    public static IReadOnlyList<(string Name, string Says)> Descriptions(string client) =>
    [
        (Settings, "the server's configuration: environment variables, for a shell, a container or a systemd unit"),
        (Seed, "its first clients: the administrator, and who may register others; public keys only"),
        (KeyOf(Administrator), "the administrator's private key: keep it where nobody else reads it"),
        (KeyOf(client), $"the private key of {client}: hand it over to whoever that is, and delete it here"),
        (Ignore, "keeps the keys and the store out of git"),
        (Readme, "this list, and what to do first"),
        ("data/", "comes with the first start: the store, and the keys that protect it"),
    ];

    /// <summary>How the server is started.</summary>
    public const string Start = "set -a; . ./dcr.env; set +a; dotnet run --project PATH/TO/src/Dcr.Server";

    /// <summary>What to type once the server runs.</summary>
    public static IReadOnlyList<string> FirstCommands(string issuer, string client) =>
    [
        $"dcr profile set admin --server {ShellWord.Of(issuer)} --client-id {Administrator} --key {KeyOf(Administrator)}",
        "dcr admin onboarding list",
        $"dcr profile set {ProfileOf(client)} --server {ShellWord.Of(issuer)} --client-id {client} --key {KeyOf(client)}",
        $"dcr register --via {ProfileOf(client)}",
    ];

    /// <summary>Null: nothing is in the way.</summary>
    public string? FirstThatIsThere() =>
        new[] { Settings, Seed, Ignore, Readme, Keys }.Select(name => Path.Combine(folder, name)).FirstOrDefault(Path.Exists);

    public async Task WriteAsync(string issuer, string client, IReadOnlyList<string> scope, CancellationToken cancellationToken)
    {
        using var administratorKey = ClientKey.Generate();
        using var clientKey = ClientKey.Generate();
        Directory.CreateDirectory(folder);
        PrivateFile.CreateFolder(Path.Combine(folder, Keys));
        foreach (var (name, key) in new[] { (Administrator, administratorKey), (client, clientKey) })
        {
            await PrivateFile.WriteAsync(
                Path.Combine(folder, KeyOf(name)), KeyOf(name), KeyFile.PemOf(key, password: null), replace: true, cancellationToken);
        }
        await WriteAsync(Settings, SettingsFor(issuer), cancellationToken);
        await WriteAsync(Seed, Text(SeedOf(administratorKey, client, clientKey, scope)), cancellationToken);
        await WriteAsync(Ignore, $"{Keys}/\ndata/\n*.pem\n*.jwk\n", cancellationToken);
        await WriteAsync(Readme, ReadmeOf(issuer, client), cancellationToken);
    }

    private Task WriteAsync(string name, string text, CancellationToken cancellationToken) =>
        File.WriteAllTextAsync(Path.Combine(folder, name), text, cancellationToken);

    // Another machine than this one has TLS, and comes here.
    private static string SettingsFor(string issuer) => $"""
        # Every setting is in the README of the server; Dcr__Storage__Provider stands for Dcr:Storage:Provider.
        ASPNETCORE_URLS={(new Uri(issuer).IsLoopback ? new Uri(issuer).GetLeftPart(UriPartial.Authority) : LocalAddress)}
        Dcr__Issuer={issuer}
        Dcr__SeedFile={Seed}

        """;

    private static JsonObject SeedOf(ClientKey administratorKey, string client, ClientKey clientKey, IReadOnlyList<string> scope)
    {
        var onboarding = ClientOf(client, "dcr", clientKey);
        onboarding["registration_policy"] = new JsonObject
        {
            ["initial_access_token"] = new JsonObject { ["uses"] = 1, ["lifetime_seconds"] = TokenLifetimeSeconds },
            ["scope"] = new JsonObject { ["allowed"] = Words(scope), ["default"] = Words(scope) },
        };
        return new JsonObject { ["clients"] = new JsonArray(ClientOf(Administrator, "dcr.admin", administratorKey), onboarding) };
    }

    private static JsonObject ClientOf(string id, string scope, ClientKey key) => new()
    {
        ["client_id"] = id,
        ["token_endpoint_auth_method"] = "private_key_jwt",
        ["grant_types"] = new JsonArray("client_credentials"),
        ["scope"] = scope,
        ["jwks"] = JsonNode.Parse(key.PublicJwkSet.ToJson()),
    };

    private static string ReadmeOf(string issuer, string client) => $"""
        # {issuer}

        Made by `dcr init`. Start the server in this folder:

        ```console
        {Start}
        ```

        | file | what it is |
        |---|---|
        {string.Join('\n', Descriptions(client).Select(file => $"| `{file.Name}` | {file.Says} |"))}

        ```bash
        {string.Join('\n', FirstCommands(issuer, client))}
        ```

        """;

    private static JsonArray Words(IReadOnlyList<string> words) => [.. words.Select(word => JsonValue.Create(word))];

    private static string Text(JsonNode json) => json.ToJsonString(s_json) + "\n";

    private static string KeyOf(string client) => $"{Keys}/{client}.pem";

    // Profiles have no dots in their names.
    private static string ProfileOf(string client) => client.Replace('.', '-');
}
