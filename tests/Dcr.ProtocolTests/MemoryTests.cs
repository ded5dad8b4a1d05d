using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>
/// What registrations that are only tried out leave in the memory of the server, as a process of its own: half of them with a hundred keys
/// inline, half with a <c>jwks_uri</c> of a hundred keys, each another. With DCR_TEST_FULL=1 five thousand, else three hundred.
/// </summary>
public sealed class MemoryTests : IAsyncLifetime
{
    private const int Keys = 100;
    private const int UsesOfToken = 100;
    private const int MostMegabytes = 400;
    private static readonly int s_requests = Environment.GetEnvironmentVariable("DCR_TEST_FULL") == "1" ? 5000 : 300;

    private readonly SqliteServer _store = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _store.PrepareAsync();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    [Requirement("P-MEMORY", "P-DRYRUN")]
    public async Task Stays_bounded_however_many_registrations_with_many_keys_are_tried_out()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "what a process holds is read from /proc");
        var address = $"http://127.0.0.1:{Ports.Free()}";
        await using var node = await ServerProcess.StartAsync(_store.Arguments(address, address), _store.Directory);
        var keys = TestKey.Jwks([.. Enumerable.Range(0, Keys).Select(i => TestKey.Create(kid: $"key-{i}"))]);
        await using var host = await JwksHost.StartAsync(keys.ToJsonString());
        var policy = new JsonObject
        {
            ["initial_access_token"] = new JsonObject { ["uses"] = UsesOfToken },
            ["max_inline_keys"] = Keys,
            ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read"), ["default"] = new JsonArray("read") },
        };
        var entry = OnboardingRequests.OnboardingEntry(_store.OnboardingKey, policy);
        var admin = (await ProcessRequests.TokenAsync(node, address, _store.AdminKey, DcrServer.Admin, "dcr.admin")).Succeeded()["access_token"];
        (await ProcessRequests.SendAsync(node, HttpMethod.Post, "admin/v1/onboarding-clients", admin, entry)).Succeeded(HttpStatusCode.Created);

        for (var sent = 0; sent < s_requests; sent += UsesOfToken)
        {
            var token = (await ProcessRequests.TokenAsync(node, address, _store.OnboardingKey, entry["client_id"]!.GetValue<string>(), "dcr")).Succeeded()["access_token"];
            await Parallel.ForEachAsync(Enumerable.Range(sent, UsesOfToken), new ParallelOptions { MaxDegreeOfParallelism = 4, CancellationToken = Cancellation }, async (i, _) =>
            {
                var metadata = Requests.Metadata(_store.OnboardingKey);
                metadata.Remove("jwks");
                metadata[i % 2 == 0 ? "jwks" : "jwks_uri"] = i % 2 == 0 ? keys.DeepClone() : JsonValue.Create($"{host.Url}?{i}");
                (await ProcessRequests.SendAsync(node, HttpMethod.Post, "oauth/register?validate_only=true", token, metadata)).Succeeded();
            });
        }
        var (now, peak) = node.ResidentMegabytes();
        TestContext.Current.TestOutputHelper?.WriteLine($"{s_requests} requests: {now} MB resident, {peak} MB at most");
        Assert.InRange(peak, 1, MostMegabytes);
    }
}
