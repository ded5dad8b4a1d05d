using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.Client;
using Xunit;

namespace Dcr.CliTests.Support;

/// <summary>The admin API without the command: to prepare what a test needs, and to see what became of it.</summary>
internal static class AdminOverHttp
{
    public static Task<JsonObject> GetAsync(this CliServer server, string path) => server.Admin.SendAsync(HttpMethod.Get, path);

    public static Task<JsonObject> PostAsync(this CliServer server, string path, JsonNode? body = null) => server.Admin.SendAsync(HttpMethod.Post, path, body);

    /// <summary>An onboarding client of a name that no other test has.</summary>
    public static async Task<ClientCredentials> OnboardAsync(this CliServer server, int uses = 1)
    {
        var clientId = $"directory-{Guid.NewGuid():N}";
        var key = ClientKey.Generate();
        await server.PostAsync("onboarding-clients", new JsonObject
        {
            ["client_id"] = clientId,
            ["token_endpoint_auth_method"] = "private_key_jwt",
            ["grant_types"] = new JsonArray("client_credentials"),
            ["scope"] = "dcr",
            ["jwks"] = JsonNode.Parse(key.PublicJwkSet.ToJson()),
            ["registration_policy"] = new JsonObject
            {
                ["initial_access_token"] = new JsonObject { ["uses"] = uses },
                ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read"), ["default"] = new JsonArray("read") },
            },
        });
        return new ClientCredentials(clientId, key);
    }

    /// <summary>Registers clients with one initial access token.</summary>
    /// <returns>Their ids.</returns>
    public static async Task<IReadOnlyList<string>> RegisterAsync(this CliServer server, ClientCredentials onboarding, int count = 1)
    {
        var dcr = new DcrClient(server.Http, server.Issuer);
        var token = await dcr.GetInitialAccessTokenAsync(onboarding, cancellationToken: TestContext.Current.CancellationToken);
        using var key = ClientKey.Generate();
        var ids = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var client = await dcr.RegistrationIn(new MemoryRegistrationStore()).RegisterAsync(token, new ClientMetadata { ClientName = $"Warehouse {i}" }, key, TestContext.Current.CancellationToken);
            ids.Add(client.ClientId);
        }
        return ids;
    }
}
