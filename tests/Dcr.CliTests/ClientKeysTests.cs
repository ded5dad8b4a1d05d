using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary><c>dcr client keys</c>: a client's keys change without a gap, wherever they are.</summary>
public sealed class ClientKeysTests(CliServer server) : IAsyncLifetime
{
    private readonly DcrTool _tool = new();

    public async ValueTask InitializeAsync() => await _tool.KnowAsync(server, "directory");

    public ValueTask DisposeAsync()
    {
        _tool.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Renews_a_key_that_is_registered_by_value()
    {
        await _tool.RegisterAsync(server);
        var before = await KidsAsync("active");

        await _tool.SucceedAsync("client", "keys", "renew");

        var after = await KidsAsync("active");
        Assert.Single(after);
        Assert.NotEqual(before, after);
        await _tool.SucceedAsync("token");
        var old = await _tool.RunAsync("token", "--key", "default.pem");
        Assert.Equal(ExitCode.Refused, old.ExitCode);
        // And again: the profile's key is the one to be replaced.
        await _tool.SucceedAsync("client", "keys", "renew", "third.pem");
        await _tool.SucceedAsync("token");
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Adds_and_withdraws_keys_side_by_side()
    {
        await _tool.RegisterAsync(server);
        var first = Assert.Single(await KidsAsync("active"));
        await _tool.SucceedAsync("keys", "new", "second.pem");

        await _tool.SucceedAsync("client", "keys", "add", "second.pem");
        Assert.Equal(2, (await KidsAsync("active")).Count);
        await _tool.SucceedAsync("token");
        await _tool.SucceedAsync("token", "--key", "second.pem");

        await _tool.SucceedAsync("client", "keys", "withdraw", first);
        Assert.Equal(ExitCode.Refused, (await _tool.RunAsync("token")).ExitCode);
        await _tool.SucceedAsync("profile", "set", "default", "--key", "second.pem");
        await _tool.SucceedAsync("token");

        var last = await _tool.RunAsync("client", "keys", "withdraw", Assert.Single(await KidsAsync("active")));
        Assert.Equal(ExitCode.Usage, last.ExitCode);
        Assert.Contains("only key", last.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Renews_a_key_in_a_set_that_the_server_hosts()
    {
        await _tool.SucceedAsync("keys", "new", "first.pem");
        var uri = await server.HostKeyAsync(_tool.PathOf("first.pem"), "first");
        await _tool.SucceedAsync("register", "--via", "directory", "--key", "first.pem", "--kid", "first", "--jwks-uri", uri);

        var renewed = await _tool.SucceedAsync("client", "keys", "renew", "second.pem");
        Assert.Contains("ends by itself", renewed.Error, StringComparison.Ordinal);

        Assert.Single(await KidsAsync("active"));
        Assert.Equal(["first"], await KidsAsync("retiring"));
        await _tool.SucceedAsync("token");
        await _tool.SucceedAsync("token", "--key", "first.pem", "--kid", "first");

        await _tool.SucceedAsync("client", "keys", "withdraw", "first");
        Assert.Equal(ExitCode.Refused, (await _tool.RunAsync("token", "--key", "first.pem", "--kid", "first")).ExitCode);
        Assert.Equal(ExitCode.Usage, (await _tool.RunAsync("client", "keys", "activate", "nothing")).ExitCode);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Proves_its_key_with_each_request_where_tokens_are_bound()
    {
        await File.WriteAllTextAsync(_tool.PathOf("metadata.json"), "{\"dpop_bound_access_tokens\": true}", TestContext.Current.CancellationToken);
        await _tool.SucceedAsync("register", "--via", "directory", "--metadata", "metadata.json");

        Assert.Equal(ExitCode.Refused, (await _tool.RunAsync("client", "show")).ExitCode);
        await _tool.SucceedAsync("client", "show", "--dpop");
        await _tool.SucceedAsync("client", "keys", "renew", "--dpop");
        await _tool.SucceedAsync("client", "show", "--dpop");
    }

    private async Task<List<string>> KidsAsync(string state) =>
        [.. (await _tool.JsonAsync("client", "keys", "list"))["items"]!.AsArray().OfType<JsonObject>().Where(key => (string?)key["state"] == state).Select(key => (string)key["kid"]!)];
}
