using System.Text.Json.Nodes;
using Xunit;

namespace Dcr.ProtocolTests.Support;

/// <summary>Two servers as processes of their own on one store, by the real clock.</summary>
/// <param name="server">The store and the seed; no server runs in this process.</param>
public abstract class TwoProcesses(DcrServer server) : IAsyncLifetime
{
    public const string Issuer = "http://127.0.0.1:5998";

    private ServerProcess[] _nodes = [];

    public string? SkipReason => server.SkipReason;

    public DcrServer Server => server;

    public IReadOnlyList<ServerProcess> Nodes => _nodes;

    public async ValueTask InitializeAsync()
    {
        if (SkipReason is not null)
        {
            return;
        }
        // So many copies are refused that the limit for an address would be shown, and not what stands behind it.
        server.Settings["Dcr:RateLimits:Enabled"] = "false";
        await server.PrepareAsync();
        var addresses = new[] { $"http://127.0.0.1:{Ports.Free()}", $"http://127.0.0.1:{Ports.Free()}" };
        _nodes = await Task.WhenAll(addresses.Select(address => ServerProcess.StartAsync(server.Arguments(address, Issuer), server.Directory)));
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
        await server.DisposeAsync();
    }

    public Task<Answer> TokenAsync(TestKey key, string clientId, string scope) => ProcessRequests.TokenAsync(_nodes[0], Issuer, key, clientId, scope);

    public async Task<Answer> AdminAsync(HttpMethod method, string path, JsonObject? body = null)
    {
        var token = (await TokenAsync(server.AdminKey, DcrServer.Admin, "dcr.admin")).Succeeded()["access_token"];
        return await ProcessRequests.SendAsync(_nodes[0], method, "admin/v1/" + path, token, body);
    }

    /// <summary>An onboarding client of its own for a test, with the usual key.</summary>
    public async Task<string> OnboardingClientAsync(JsonObject policy)
    {
        var entry = OnboardingRequests.OnboardingEntry(server.OnboardingKey, policy);
        (await AdminAsync(HttpMethod.Post, "onboarding-clients", entry)).Succeeded(System.Net.HttpStatusCode.Created);
        return entry["client_id"]!.GetValue<string>();
    }
}

public sealed class TwoProcessesOnSqlite() : TwoProcesses(new SqliteServer());

public sealed class TwoProcessesOnMongoDb() : TwoProcesses(new MongoDbServer());
