using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary><c>dcr admin key-sets</c> and <c>signing-keys</c>.</summary>
public sealed class AdminKeysTests(CliServer server)
{
    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Takes_hosted_keys_through_their_life()
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        await tool.SucceedAsync("keys", "new", "old.pem");
        await tool.SucceedAsync("keys", "new", "new.pem");
        await tool.SucceedAsync("keys", "jwks", "new.pem", "--out", "new.json");
        var set = (string)(await tool.JsonAsync("admin", "key-sets", "create"))["id"]!;

        var old = (string)(await tool.JsonAsync("admin", "key-sets", "keys", "add", set, "old.pem"))["kid"]!;
        Assert.Equal("active", (string?)(await tool.JsonAsync("admin", "key-sets", "keys", "activate", set, old))["state"]);
        var tooEarly = await tool.RunAsync("admin", "key-sets", "keys", "retire", set, old);
        Assert.Equal(ExitCode.Refused, tooEarly.ExitCode);
        Assert.Contains("Activate one first", tooEarly.Error, StringComparison.Ordinal);
        var added = await tool.SucceedAsync("admin", "key-sets", "keys", "add", set, "new.json");
        Assert.Contains("pending", added.Out, StringComparison.Ordinal);
        Assert.Contains($"dcr admin key-sets keys activate {set}", added.Error, StringComparison.Ordinal);
        var young = (string)(await server.GetAsync($"key-sets/{set}"))["keys"]![1]!["kid"]!;
        await tool.SucceedAsync("admin", "key-sets", "keys", "activate", set, young);

        var retired = await tool.JsonAsync("admin", "key-sets", "keys", "retire", set, old, "--until", "2h");
        Assert.InRange((DateTimeOffset)retired["until"]!, TimeProvider.System.GetUtcNow().AddMinutes(110), TimeProvider.System.GetUtcNow().AddMinutes(121));
        Assert.Equal(ExitCode.Usage, (await tool.RunAsync("admin", "key-sets", "keys", "retire", set, old, "--until", "2030-01-31")).ExitCode);
        Assert.Equal(ExitCode.Usage, (await tool.RunAsync("admin", "key-sets", "keys", "withdraw", set, old)).ExitCode);
        var shown = await tool.SucceedAsync("admin", "key-sets", "show", set);
        Assert.Contains("/jwks.json", shown.Out, StringComparison.Ordinal);
        Assert.Contains("retiring", shown.Out, StringComparison.Ordinal);
        Assert.Equal("withdrawn", (string?)(await tool.JsonAsync("admin", "key-sets", "keys", "withdraw", set, old, "--yes"))["state"]);

        Assert.Contains($"{young} active", (await tool.SucceedAsync("admin", "key-sets", "list", "--all")).Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await tool.RunAsync("admin", "key-sets", "delete", set)).ExitCode);
        Assert.True((bool)(await tool.JsonAsync("admin", "key-sets", "delete", set, "--yes"))["deleted"]!);
        Assert.Equal(ExitCode.Refused, (await tool.RunAsync("admin", "key-sets", "show", set)).ExitCode);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Blocks_a_key_on_the_whole_server_and_lets_it_go()
    {
        const string Thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        using var tool = await new DcrTool().KnowAsync(server, "admin");

        Assert.Equal(ExitCode.Usage, (await tool.RunAsync("admin", "quarantine", "add", Thumbprint)).ExitCode);
        Assert.Equal("found in a repository", (string?)(await tool.JsonAsync("admin", "quarantine", "add", Thumbprint, "--reason", "found in a repository"))["reason"]);
        Assert.Equal(Thumbprint, (string?)(await tool.JsonAsync("admin", "quarantine", "show", Thumbprint))["thumbprint"]);
        Assert.Contains("in a repository", (await tool.SucceedAsync("admin", "quarantine", "list")).Out, StringComparison.Ordinal);
        Assert.True((bool)(await tool.JsonAsync("admin", "quarantine", "remove", Thumbprint))["removed"]!);
        Assert.Equal(ExitCode.Refused, (await tool.RunAsync("admin", "quarantine", "remove", Thumbprint)).ExitCode);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Rotates_the_keys_of_the_server_and_in_an_emergency_only_when_told_so()
    {
        // A server of its own: every token of the others would die.
        await using var own = new CliServer();
        await own.InitializeAsync();
        using var tool = await new DcrTool().KnowAsync(own, "admin");

        var first = (await tool.JsonAsync("admin", "signing-keys", "list"))["items"]!.AsArray();
        var next = await tool.JsonAsync("admin", "signing-keys", "rotate");
        Assert.Equal("announced", (string?)next["state"]);
        var unasked = await tool.RunAsync("admin", "signing-keys", "rotate", "--emergency");
        Assert.Equal(ExitCode.Usage, unasked.ExitCode);
        Assert.Contains("Every token of every client", unasked.Error, StringComparison.Ordinal);
        var kept = await tool.SucceedAsync("admin", "signing-keys", "list");
        Assert.Contains((string)first[0]!["kid"]!, kept.Out, StringComparison.Ordinal);
        Assert.Contains("active", (await tool.SucceedAsync("admin", "signing-keys", "rotate", "--emergency", "--yes")).Out, StringComparison.Ordinal);
        Assert.DoesNotContain("announced", (await tool.SucceedAsync("admin", "signing-keys", "list")).Out, StringComparison.Ordinal);
    }
}
