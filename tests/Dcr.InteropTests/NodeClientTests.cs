using System.Text.Json.Nodes;
using Dcr.InteropTests.Support;
using Xunit;

namespace Dcr.InteropTests;

/// <summary>
/// The whole life of a client, driven by libraries from npm that nobody here wrote, each in a process of its own: see
/// <c>clients/flow.mjs</c> for what must be so at each step.
/// </summary>
public abstract class NodeClientTests
{
    private static readonly string[] s_life =
        ["discovery", "initial token", "registration", "own token", "introspection", "revocation", "read", "update", "delete"];

    private readonly InteropServer _server;
    private readonly NodeClients _clients;

    protected NodeClientTests(InteropServer server, NodeClients clients)
    {
        Assert.SkipWhen(server.SkipReason is not null, server.SkipReason ?? "");
        Assert.SkipWhen(clients.SkipReason is not null, clients.SkipReason ?? "");
        _server = server;
        _clients = clients;
    }

    [Theory]
    [InlineData("openid-client-6")]
    [InlineData("oauth4webapi")]
    [Requirement("P-INTEROP", "R8414-3.2-01", "R7591-3.2.1-01")]
    public async Task A_client_lives_its_life_by(string library) => AssertWhole(await RunAsync(library, Settings()));

    [Fact]
    [Requirement("P-INTEROP", "R8707-2-01")]
    public async Task An_agent_by_the_MCP_SDK_registers_and_calls_a_tool_of_an_MCP_server() =>
        AssertWhole(await RunAsync("mcp-sdk", Settings()), "call");

    [Theory]
    [InlineData("openid-client-5")]
    [InlineData("openid-client-4")]
    [Requirement("P-INTEROP")]
    public async Task An_older_library_is_refused_for_its_audience_at_its_first_assertion(string library)
    {
        var run = await RunAsync(library, Settings());
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(["discovery"], run.Steps);
        Assert.StartsWith("initial token: invalid_client", run.Fault, StringComparison.Ordinal);
        Assert.Contains(_server.Issuer, run.Fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("openid-client-5")]
    [InlineData("openid-client-4")]
    [Requirement("P-INTEROP")]
    public async Task A_client_lives_its_life_by_an_older_library_that_is_told_the_audience(string library)
    {
        var settings = Settings();
        settings["strict_audience"] = true;
        AssertWhole(await RunAsync(library, settings));
    }

    [Fact]
    [Requirement("P-INTEROP", "R6749-5.2-01")]
    public async Task A_library_that_stops_at_the_challenge_is_told_the_reason_by_it()
    {
        var settings = Settings();
        settings["onboarding"]!["client_id"] = "nobody";
        var run = await RunAsync("openid-client-6", settings);
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("initial token: ", run.Fault, StringComparison.Ordinal);
        Assert.Contains("\"error\":\"invalid_client\"", run.Fault, StringComparison.Ordinal);
        Assert.Contains("\"error_description\":", run.Fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("openid-client-5")]
    [InlineData("openid-client-4")]
    [Requirement("P-INTEROP")]
    public async Task A_client_lives_its_life_by_an_older_library_that_has_an_exception(string library)
    {
        await ExceptAsync(_server.OldPartner.ClientId);
        await ExceptAsync(_server.OldApi.ClientId);
        var settings = Settings();
        settings["onboarding"] = _server.OldPartner.Identity();
        settings["api"] = _server.OldApi.Identity();
        AssertWhole(await RunAsync(library, settings, step => (string?)step["client_id"] is { } registered ? ExceptAsync(registered) : Task.CompletedTask));
    }

    private Task ExceptAsync(string clientId) => _server.AdministerAsync(HttpMethod.Put, $"clients/{clientId}/assertion-exception", new JsonObject
    {
        ["audience"] = "own_endpoints",
        ["max_lifetime_seconds"] = 3600,
        ["until"] = DateTimeOffset.UtcNow.AddDays(1).ToString("O"),
    });

    private async Task<ScriptResult> RunAsync(string library, JsonObject settings, Func<JsonNode, Task>? between = null)
    {
        await using var script = _clients.Start(library);
        return await script.RunAsync(settings, between);
    }

    private JsonObject Settings() => new()
    {
        ["issuer"] = _server.Issuer,
        ["mcp_server"] = _server.McpServer,
        ["onboarding"] = _server.Partner.Identity(),
        ["api"] = _server.Api.Identity(),
    };

    /// <param name="run">Every step of it went as it must.</param>
    /// <param name="own">A step of this library's alone.</param>
    private void AssertWhole(ScriptResult run, string? own = null)
    {
        Assert.True(run.ExitCode == 0, $"{run.Fault}\nThe server's log:\n{_server.Log}");
        Assert.Equal(s_life, run.Steps.Where(step => step != own));
        Assert.True(own is null || run.Steps.Contains(own));
    }
}

public sealed class NodeClientTestsOnSqlite(SqliteServer server, NodeClients clients)
    : NodeClientTests(server, clients), IClassFixture<SqliteServer>;

public sealed class NodeClientTestsOnMongoDb(MongoDbServer server, NodeClients clients)
    : NodeClientTests(server, clients), IClassFixture<MongoDbServer>;
