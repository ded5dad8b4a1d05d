using System.Text;
using System.Text.Json.Nodes;
using Dcr.Client;
using Dcr.Server;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Dcr.ClientTests.Support;

/// <summary>The real server in this process, on a loopback port with a SQLite store of its own. One for each test class.</summary>
public sealed class RealServer : IAsyncLifetime
{
    // RSA keys take seconds to make: one of each for all servers.
    private static readonly ClientKey s_ps256 = ClientKey.Generate(SigningAlgorithm.PS256);
    private static readonly ClientKey s_rs256 = ClientKey.Generate(SigningAlgorithm.RS256);

    private readonly string _folder = Directory.CreateTempSubdirectory("dcr-client-test-").FullName;
    private WebApplication? _app;

    /// <summary>One use a token; scopes read and write, default read.</summary>
    public ClientCredentials Onboarding { get; } = new("partner-directory", ClientKey.Generate());

    /// <summary>Binds its initial access tokens to the key of the device, which must be proved.</summary>
    public ClientCredentials DeviceMaker { get; } = new("device-maker", ClientKey.Generate());

    /// <summary>Asks for a proof of the registered key, with a bearer token.</summary>
    public ClientCredentials Prover { get; } = new("prover", s_ps256);

    /// <summary>A client of APIs.</summary>
    public ClientCredentials Worker { get; } = new("worker", s_rs256);

    /// <summary>An app without a key of its own, whose devices <see cref="Attester"/> vouches for.</summary>
    public const string App = "orders-app";

    /// <summary>Who vouches, as the policy of <see cref="App"/> names it.</summary>
    public const string AttesterIssuer = "https://app.example";

    /// <summary>The key of the app's backend.</summary>
    public ClientKey Attester { get; } = ClientKey.Generate();

    /// <summary>The first administrator, with the key that the server wrote to its file.</summary>
    public ClientCredentials Administrator => new("admin", ClientKey.FromJwk(File.ReadAllText(Path.Combine(_folder, "admin.jwk"))));

    public string Issuer { get; } = $"http://127.0.0.1:{Ports.Free()}";

    public async ValueTask InitializeAsync()
    {
        var seed = Path.Combine(_folder, "seed.json");
        await File.WriteAllTextAsync(seed, Seed().ToJsonString());
        string[] arguments =
        [
            "--urls", Issuer,
            "--Dcr:Issuer", Issuer,
            "--Dcr:SeedFile", seed,
            "--Dcr:AdminKeyFile", Path.Combine(_folder, "admin.jwk"),
            "--Dcr:DataProtection:KeyRingPath", Path.Combine(_folder, "keys"),
            "--Dcr:Storage:Sqlite:Path", Path.Combine(_folder, "dcr.db"),
        ];
        _app = ServerApplication.Create(arguments, services => services.AddLogging(logging => logging.ClearProviders()));
        await _app.StartAsync();
    }

    /// <summary>A client of this server whose requests pass a handler that a test can make faulty.</summary>
    public DcrClient Connect(FaultyHandler? network = null, DcrClientOptions? options = null) =>
        new(new HttpClient(network ?? new FaultyHandler()), Issuer, options ?? Quick);

    /// <summary>Hardly waits between attempts.</summary>
    public static DcrClientOptions Quick { get; } = new() { RetryDelay = TimeSpan.FromMilliseconds(5) };

    /// <summary>A hosted key set with one active key, made by the administrator.</summary>
    /// <returns>Its <c>jwks_uri</c>.</returns>
    public async Task<string> HostAsync(PublicJwk first)
    {
        var token = await Connect().AccessTokensFor(Administrator).GetAsync("dcr.admin");
        using var http = new HttpClient { DefaultRequestHeaders = { Authorization = new(token.TokenType, token.Value) } };
        var set = await PostAsync(http, "key-sets", null);
        await PostAsync(http, $"key-sets/{set["id"]}/keys", first.ToJson());
        await PostAsync(http, $"key-sets/{set["id"]}/keys/{first.Kid}/activate", null);
        return set["jwks_uri"]!.GetValue<string>();
    }

    public string TempFile(string name) => Path.Combine(_folder, name);

    public async ValueTask DisposeAsync()
    {
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }
        Directory.Delete(_folder, recursive: true);
    }

    private JsonObject Seed() => new()
    {
        ["clients"] = new JsonArray(
            Client(Onboarding, "dcr", Policy()),
            Client(DeviceMaker, "dcr", Policy(initialAccessToken: new JsonObject { ["uses"] = 1, ["bound_to_key"] = true }, proof: "required")),
            Client(Prover, "dcr", Policy(proof: "required")),
            Client(Worker, "read write"),
            AttestedApp()),
    };

    private JsonObject AttestedApp()
    {
        var policy = Policy(initialAccessToken: new JsonObject { ["uses"] = 1, ["bound_to_key"] = true });
        policy["attestation"] = new JsonObject
        {
            ["mode"] = "required",
            ["attesters"] = new JsonArray(new JsonObject { ["issuer"] = AttesterIssuer, ["jwks"] = JsonNode.Parse(Attester.PublicJwkSet.ToJson()) }),
        };
        return new JsonObject
        {
            ["client_id"] = App,
            ["token_endpoint_auth_method"] = "attest_jwt_client_auth",
            ["grant_types"] = new JsonArray("client_credentials"),
            ["scope"] = "dcr",
            ["registration_policy"] = policy,
        };
    }

    private static JsonObject Policy(JsonObject? initialAccessToken = null, string? proof = null)
    {
        var policy = new JsonObject { ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read", "write"), ["default"] = new JsonArray("read") } };
        if (initialAccessToken is not null)
        {
            policy["initial_access_token"] = initialAccessToken;
        }
        if (proof is not null)
        {
            policy["proof_of_possession"] = proof;
        }
        return policy;
    }

    private static JsonObject Client(ClientCredentials client, string scope, JsonObject? policy = null)
    {
        var entry = new JsonObject
        {
            ["client_id"] = client.ClientId,
            ["token_endpoint_auth_method"] = "private_key_jwt",
            ["grant_types"] = new JsonArray("client_credentials"),
            ["scope"] = scope,
            ["jwks"] = JsonNode.Parse(new PublicJwkSet(client.Key.PublicJwk).ToJson()),
        };
        if (policy is not null)
        {
            entry["registration_policy"] = policy;
        }
        return entry;
    }

    private async Task<JsonObject> PostAsync(HttpClient http, string path, string? json)
    {
        using var body = json is null ? null : new StringContent(json, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri($"{Issuer}/admin/v1/{path}"), body);
        return JsonNode.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!.AsObject();
    }
}
