using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Dcr.CliTests;

/// <summary>What takes longer than a request, and what ends in the middle: by a stand-in for the server that is slow or falls silent when a test wants it.</summary>
public sealed class AdminOperationTests : IAsyncLifetime
{
    private readonly string _issuer = $"http://127.0.0.1:{Ports.Free()}";
    private readonly DcrTool _tool = new();
    private readonly WebApplication _server;

    // How many times the operation is looked at before it is done; and whether the server then is out of order instead.
    private int _looks = 3;
    private bool _fails;

    public AdminOperationTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(_issuer);
        _server = builder.Build();
        _server.MapGet("/.well-known/oauth-authorization-server", () => Results.Json(new { issuer = _issuer, token_endpoint = $"{_issuer}/token" }));
        _server.MapPost("/token", () => Results.Json(new { access_token = "e30.e30.e30", token_type = "Bearer", expires_in = 300 }));
        _server.MapPost("/admin/v1/clients:revoke", async (HttpRequest request) =>
            Answer(done: (bool)(await JsonNode.ParseAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted))!["dry_run"]!));
        _server.MapGet("/admin/v1/operations/op-1", () => --_looks > 0 ? Answer(done: false) : _fails ? Results.StatusCode(503) : Answer(done: true));
        _server.MapGet("/admin/v1/clients/{id}", (string id) => Results.Json(new { client_id = id, status = "active" }));
        _server.MapPost("/admin/v1/clients/{id}/suspend", (string id) => id == "c-2" ? Results.StatusCode(503) : Results.Json(new { client_id = id, status = "suspended" }));
    }

    public async ValueTask InitializeAsync()
    {
        await _server.StartAsync(TestContext.Current.CancellationToken);
        await _tool.SucceedAsync("keys", "new", "admin.pem");
        await _tool.SucceedAsync("profile", "set", "admin", "--server", _issuer, "--client-id", "admin", "--key", "admin.pem");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _tool.Dispose();
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Looks_until_the_server_has_done_all_of_it()
    {
        var operation = await _tool.JsonAsync("admin", "clients", "revoke", "--kid", "stolen", "--yes");
        Assert.True((bool)operation["done"]!);
        Assert.Equal(0, _looks);
        Assert.True((bool)(await _tool.JsonAsync("admin", "operation", "show", "op-1"))["done"]!);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Tells_how_to_look_again_when_the_server_falls_silent()
    {
        _fails = true;
        var answer = await _tool.RunAsync("admin", "clients", "revoke", "--kid", "stolen", "--yes");
        Assert.Equal(ExitCode.Unreachable, answer.ExitCode);
        Assert.Contains("dcr admin operation show op-1 --wait", answer.Error, StringComparison.Ordinal);
        _fails = false;
        _looks = 2;
        Assert.Contains("true", (await _tool.SucceedAsync("admin", "operation", "show", "op-1", "--wait")).Out, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Tells_which_clients_were_done_before_the_server_failed()
    {
        var answer = await _tool.RunAsync("admin", "clients", "suspend", "c-1", "c-2", "c-3", "--json");
        Assert.Equal(ExitCode.Unreachable, answer.ExitCode);
        Assert.Equal("c-1", (string?)Assert.Single(answer.Json["items"]!.AsArray())!["client_id"]);
    }

    private static IResult Answer(bool done) => Results.Json(new { operation = "op-1", matched = 1234, revoked = done ? 1234 : 617, done });
}
