using System.Text.Json.Nodes;
using Dcr.Client;
using Dcr.CliTests.Support;
using Xunit;

[assembly: AssemblyFixture(typeof(CliServer))]

namespace Dcr.CliTests.Support;

/// <summary>
/// The real server as a process, for all tests of the command: with an administrator, two clients that may register
/// others, and a client for APIs; and with those that examples of <c>dcr admin</c> stop. It accepts a <c>jwks_uri</c> on
/// this machine.
/// </summary>
public sealed class CliServer : IAsyncLifetime
{
    private ServerProcess? _process;

    /// <summary>Where the server was started: <c>data/admin.jwk</c> and the seed's keys are there.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("dcr-cli-server-").FullName;

    public string Issuer { get; } = $"http://127.0.0.1:{Ports.Free()}";

    public HttpClient Http => _process!.Http;

    public string Log => _process!.Output;

    public string AdminKey => Path.Combine(Folder, "data", "admin.jwk");

    /// <summary>Of <c>partner-directory</c>: may register clients with the scopes read and write.</summary>
    public string DirectoryKey => Path.Combine(Folder, "directory.pem");

    /// <summary>Of <c>device-maker</c>: its initial access tokens are bound to the key that registers.</summary>
    public string DeviceMakerKey => Path.Combine(Folder, "device-maker.pem");

    /// <summary>Of <c>warehouse-7</c>, a client with the scopes read and write.</summary>
    public string WarehouseKey => Path.Combine(Folder, "warehouse-7.pem");

    public async ValueTask InitializeAsync()
    {
        var seed = new JsonObject
        {
            ["clients"] = new JsonArray(
                Client("partner-directory", "dcr", DirectoryKey, Policy(new JsonObject { ["uses"] = 100 })),
                Client("device-maker", "dcr", DeviceMakerKey, Policy(new JsonObject { ["bound_to_key"] = true })),
                Client("warehouse-7", "read write", WarehouseKey),
                Client("warehouse-8", "read", Path.Combine(Folder, "warehouse-8.pem")),
                Client("warehouse-9", "read", Path.Combine(Folder, "warehouse-9.pem")),
                Client("old-directory", "dcr", Path.Combine(Folder, "old-directory.pem"), Policy(new JsonObject { ["uses"] = 100 }))),
        };
        await File.WriteAllTextAsync(Path.Combine(Folder, "seed.json"), seed.ToJsonString());
        _process = await ServerProcess.StartAsync(
            ["--urls", Issuer, "--Dcr:SeedFile", "seed.json", "--Dcr:Jwks:AllowHttp", "true", "--Dcr:Jwks:AllowPrivateNetworks", "true"], Folder);
    }

    public AdminRequests Admin => new(Http, Issuer, AdminKey);

    /// <summary>A key set that the server hosts, with one active key, under this kid.</summary>
    /// <returns>Its <c>jwks_uri</c>.</returns>
    public async Task<string> HostKeyAsync(string keyFile, string kid)
    {
        using var key = ClientKey.FromPem(await File.ReadAllTextAsync(keyFile, TestContext.Current.CancellationToken), kid: kid);
        var set = await Admin.SendAsync(HttpMethod.Post, "key-sets");
        await Admin.SendAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys", JsonNode.Parse(key.PublicJwk.ToJson()));
        await Admin.SendAsync(HttpMethod.Post, $"key-sets/{set["id"]}/keys/{kid}/activate");
        return (string)set["jwks_uri"]!;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }
        Directory.Delete(Folder, recursive: true);
    }


    private static JsonObject Policy(JsonObject initialAccessToken) => new()
    {
        ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read", "write"), ["default"] = new JsonArray("read") },
        ["initial_access_token"] = initialAccessToken,
    };

    private static JsonObject Client(string id, string scope, string keyFile, JsonObject? policy = null)
    {
        using var key = ClientKey.Generate();
        File.WriteAllText(keyFile, key.ExportPrivatePemUnencrypted());
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        var client = new JsonObject
        {
            ["client_id"] = id,
            ["token_endpoint_auth_method"] = "private_key_jwt",
            ["grant_types"] = new JsonArray("client_credentials"),
            ["scope"] = scope,
            ["jwks"] = JsonNode.Parse(key.PublicJwkSet.ToJson()),
        };
        if (policy is not null)
        {
            client["registration_policy"] = policy;
        }
        return client;
    }
}
