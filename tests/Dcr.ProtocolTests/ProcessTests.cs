using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;
using static Dcr.ProtocolTests.Support.ProcessRequests;

namespace Dcr.ProtocolTests;

/// <summary>The server as an operator runs it: processes that start on nothing, share a store, and are killed.</summary>
public sealed class ProcessTests
{
    private static string NewFolder() => Directory.CreateTempSubdirectory("dcr-process-").FullName;

    [Fact]
    [Requirement("P-FIRST")]
    public async Task Starts_on_nothing_with_a_first_administrator_who_can_log_in()
    {
        var folder = NewFolder();
        var address = $"http://127.0.0.1:{Ports.Free()}";
        await using (var server = await ServerProcess.StartAsync(["--urls", address], folder))
        {
            var key = Path.Combine(folder, "data", "admin.jwk");
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
                foreach (var path in new[] { Path.GetDirectoryName(key)!, Path.Combine(folder, "data", "keys") })
                {
                    Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
                }
            }
            Assert.Contains("admin.jwk", server.Output, StringComparison.Ordinal);
            Assert.True(File.Exists(Path.Combine(folder, "data", "dcr.db")));
            var token = await TokenAsync(server, address, TestKey.Read(key), "admin", "dcr.admin");
            using var request = new HttpRequestMessage(HttpMethod.Get, address + "/admin/v1/clients");
            request.Headers.Authorization = new("Bearer", token["access_token"]);
            var clients = await Answer.ReadAsync(await server.Http.SendAsync(request, TestContext.Current.CancellationToken));
            Assert.Equal("admin", Assert.Single(clients.Succeeded().Json["items"]!.AsArray())!["client_id"]!.GetValue<string>());
        }
        var before = await File.ReadAllTextAsync(Path.Combine(folder, "data", "admin.jwk"), TestContext.Current.CancellationToken);
        await using (await ServerProcess.StartAsync(["--urls", address], folder))
        {
            Assert.Equal(before, await File.ReadAllTextAsync(Path.Combine(folder, "data", "admin.jwk"), TestContext.Current.CancellationToken));
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    [Requirement("OIDCC-9-01", "P-SIGNKEY", "P-REV", "P-ONCE", "P-REPLAY")]
    public async Task Two_processes_on_one_store_act_as_one_server()
    {
        await using var first = new SqliteServer();
        await TwoNodesAsync(first);
    }

    [Fact]
    [Requirement("OIDCC-9-01", "P-SIGNKEY", "P-REV", "P-ONCE", "P-REPLAY")]
    public async Task Two_processes_on_one_MongoDB_act_as_one_server()
    {
        await using var first = new MongoDbServer();
        Assert.SkipWhen(first.SkipReason is not null, first.SkipReason ?? "");
        await TwoNodesAsync(first);
    }

    private static async Task TwoNodesAsync(DcrServer server)
    {
        await server.PrepareAsync();
        var issuer = "http://127.0.0.1:5999";
        var addresses = new[] { $"http://127.0.0.1:{Ports.Free()}", $"http://127.0.0.1:{Ports.Free()}" };
        // At once, on an empty store: one signing key, one of each seeded client.
        var nodes = await Task.WhenAll(addresses.Select(address => ServerProcess.StartAsync(server.Arguments(address, issuer), server.Directory)));
        try
        {
            var keys = await Task.WhenAll(nodes.Select(async node => (await GetAsync(node, "oauth/jwks")).Succeeded().Text));
            Assert.Equal(keys[0], keys[1]);
            Assert.Single(JsonNode.Parse(keys[0])!["keys"]!.AsArray());

            var assertion = new AssertionScenario(server.OnboardingKey, DcrServer.OnboardingClient, issuer, DateTimeOffset.UtcNow).Sign();
            var initial = (await TokenAsync(nodes[0], assertion, "dcr")).Succeeded()["access_token"];
            (await TokenAsync(nodes[1], assertion, "dcr")).Refused(HttpStatusCode.Unauthorized, "invalid_client", "used before");

            var key = TestKey.Create();
            var registered = (await SendAsync(nodes[1], HttpMethod.Post, "oauth/register", initial, Requests.Metadata(key))).Succeeded(HttpStatusCode.Created);
            (await SendAsync(nodes[0], HttpMethod.Post, "oauth/register", initial, Requests.Metadata(key))).Refused(HttpStatusCode.Unauthorized, "invalid_token", "used");
            (await TokenAsync(nodes[0], issuer, key, registered["client_id"], "read")).Succeeded();

            var admin = (await TokenAsync(nodes[0], issuer, server.AdminKey, DcrServer.Admin, "dcr.admin")).Succeeded()["access_token"];
            (await SendAsync(nodes[0], HttpMethod.Post, $"admin/v1/clients/{registered["client_id"]}/revoke", admin)).Succeeded();
            (await TokenAsync(nodes[1], issuer, key, registered["client_id"], "read")).Refused(HttpStatusCode.Unauthorized, "invalid_client");

            await nodes[0].KillAsync();
            await nodes[0].DisposeAsync();
            nodes[0] = await ServerProcess.StartAsync(server.Arguments(addresses[0], issuer), server.Directory);
            (await TokenAsync(nodes[0], assertion, "dcr")).Refused(HttpStatusCode.Unauthorized, "invalid_client", "used before");
            Assert.Equal(keys[0], (await GetAsync(nodes[0], "oauth/jwks")).Text);
        }
        finally
        {
            foreach (var node in nodes)
            {
                await node.DisposeAsync();
            }
        }
    }

    [Fact]
    [Requirement("P-DURABLE", "OIDCC-9-01", "P-AUDIT", "P-REPLAY")]
    public async Task Survives_ten_kills_under_load_with_every_acknowledged_write()
    {
        await using var server = new SqliteServer();
        await server.PrepareAsync();
        var address = $"http://127.0.0.1:{Ports.Free()}";
        var acknowledged = new ConcurrentBag<(string ClientId, string Path, string Token, TestKey Key)>();
        var usedAssertions = new ConcurrentBag<string>();
        var keys = Enumerable.Range(0, 8).Select(_ => TestKey.Create()).ToArray();

        for (var round = 0; round < 10; round++)
        {
            await using var node = await ServerProcess.StartAsync(server.Arguments(address, address), server.Directory);
            using var stop = new CancellationTokenSource();
            var load = keys.Select(key => LoadAsync(node, address, server.OnboardingKey, key, acknowledged, usedAssertions, stop.Token)).ToArray();
            var before = acknowledged.Count;
            for (var i = 0; i < 200 && acknowledged.Count < before + 20; i++)
            {
                await Task.Delay(20, TestContext.Current.CancellationToken);
            }
            await node.KillAsync();
            await stop.CancelAsync();
            await Task.WhenAll(load);
            Assert.True(acknowledged.Count > before, $"round {round}: nothing was acknowledged before the kill");
        }

        await using var survivor = await ServerProcess.StartAsync(server.Arguments(address, address), server.Directory);
        foreach (var (clientId, path, token, key) in acknowledged)
        {
            Assert.Equal(clientId, (await SendAsync(survivor, HttpMethod.Get, path, token)).Succeeded()["client_id"]);
        }
        foreach (var assertion in usedAssertions)
        {
            (await TokenAsync(survivor, assertion, "dcr")).Refused(HttpStatusCode.Unauthorized, "invalid_client");
        }
        var admin = (await TokenAsync(survivor, address, server.AdminKey, DcrServer.Admin, "dcr.admin")).Succeeded()["access_token"];
        foreach (var (clientId, _, _, _) in acknowledged)
        {
            var audit = (await SendAsync(survivor, HttpMethod.Get, $"admin/v1/audit?subject={clientId}", admin)).Succeeded();
            Assert.Single(audit.Json["items"]!.AsArray());
        }
    }

    private static async Task LoadAsync(
        ServerProcess node,
        string issuer,
        TestKey onboarding,
        TestKey key,
        ConcurrentBag<(string ClientId, string Path, string Token, TestKey Key)> acknowledged,
        ConcurrentBag<string> usedAssertions,
        CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var assertion = new AssertionScenario(onboarding, DcrServer.OnboardingClient, issuer, DateTimeOffset.UtcNow).Sign();
                var token = (await TokenAsync(node, assertion, "dcr")).Succeeded()["access_token"];
                usedAssertions.Add(assertion);
                var client = (await SendAsync(node, HttpMethod.Post, "oauth/register", token, Requests.Metadata(key))).Succeeded(HttpStatusCode.Created);
                acknowledged.Add((client["client_id"], new Uri(client["registration_client_uri"]).PathAndQuery.TrimStart('/'), client["registration_access_token"], key));
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException)
            {
                // The server was killed while this was under way: it was not acknowledged.
                return;
            }
        }
    }
}
