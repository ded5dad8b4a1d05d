using System.Text.Json.Nodes;
using Dcr.Client;
using Xunit;

namespace Dcr.CliTests.Support;

/// <summary>What the examples of <c>dcr admin</c> take for granted: files, ids in shell variables, and clients that nobody else needs.</summary>
internal static class AdminExamples
{
    public static async Task PrepareAsync(DcrTool tool, CliServer server, string path)
    {
        await tool.KnowAsync(server, "admin");
        switch (path)
        {
            case "dcr admin clients allow-key-change":
                tool.Environment["CLIENT"] = await RegisterAsync(server);
                break;
            case "dcr admin clients revoke":
                await RegisterAsync(server);
                break;
            case "dcr admin operation show":
                tool.Environment["OPERATION"] = (string)(await server.PostAsync("clients:revoke", Origin(dryRun: true)))["operation"]!;
                break;
            case "dcr admin onboarding add":
                File.Copy(server.DirectoryKey, tool.PathOf("north.pem"));
                await WriteJwkSetAsync(tool.PathOf("south.json"));
                break;
            case "dcr admin onboarding delete":
                await WriteJwkSetAsync(tool.PathOf("west.json"));
                await tool.SucceedAsync("admin", "onboarding", "add", "west-directory", "--key", "west.json", "--scope", "read");
                break;
            case "dcr admin quarantine show" or "dcr admin quarantine remove":
                await tool.SucceedAsync("admin", "quarantine", "add", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "--reason", "found in a repository");
                break;
            case var _ when path.StartsWith("dcr admin key-sets ", StringComparison.Ordinal):
                File.Copy(server.WarehouseKey, tool.PathOf("partner.pem"));
                tool.Environment["SET"] = await KeySetAsync(server);
                break;
            default:
                break;
        }
    }

    private static JsonObject Origin(bool dryRun) => new() { ["origin"] = new JsonObject { ["onboarding_client"] = "old-directory" }, ["dry_run"] = dryRun };

    private static async Task<string> RegisterAsync(CliServer server)
    {
        using var key = ClientKey.FromPem(await File.ReadAllTextAsync(Path.Combine(server.Folder, "old-directory.pem"), TestContext.Current.CancellationToken));
        return (await server.RegisterAsync(new ClientCredentials("old-directory", key)))[0];
    }

    private static async Task WriteJwkSetAsync(string path)
    {
        using var key = ClientKey.Generate();
        await File.WriteAllTextAsync(path, key.PublicJwkSet.ToJson(), TestContext.Current.CancellationToken);
    }

    /// <summary>With the keys 2026-01 and 2026-07, both active.</summary>
    private static async Task<string> KeySetAsync(CliServer server)
    {
        var id = (string)(await server.PostAsync("key-sets"))["id"]!;
        foreach (var kid in new[] { "2026-01", "2026-07" })
        {
            using var key = ClientKey.Generate();
            await server.PostAsync($"key-sets/{id}/keys", JsonNode.Parse((key.PublicJwk with { Kid = kid }).ToJson()));
            await server.PostAsync($"key-sets/{id}/keys/{kid}/activate");
        }
        return id;
    }
}
