using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary><c>dcr admin clients</c>: found, stopped and let go on, one by one and by where they come from.</summary>
public sealed partial class AdminClientsTests(CliServer server)
{
    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Follows_a_list_over_its_pages_and_stops_everything_of_one_origin()
    {
        const int Clients = 203;
        var onboarding = await server.OnboardAsync(uses: Clients);
        await server.RegisterAsync(onboarding, Clients);
        var origin = new[] { "--onboarding-client", onboarding.ClientId };
        using var tool = await new DcrTool().KnowAsync(server, "admin");

        var some = await tool.SucceedAsync(["admin", "clients", "list", "--limit", "5", .. origin]);
        Assert.Equal(1 + 5, Lines(some.Out));
        Assert.Contains("--all", some.Error, StringComparison.Ordinal);
        var more = await tool.JsonAsync(["admin", "clients", "list", "--limit", "201", .. origin]);
        Assert.Equal(201, Ids(more).Distinct().Count());
        Assert.NotNull((string?)more["next"]);
        var all = await tool.JsonAsync(["admin", "clients", "list", "--all", .. origin]);
        Assert.Equal(Clients, Ids(all).Distinct().Count());
        Assert.True(all.ContainsKey("next"));
        Assert.Null((string?)all["next"]);
        var people = await tool.SucceedAsync(["admin", "clients", "list", "--all", .. origin]);
        Assert.Equal(1 + Clients, Lines(people.Out));
        Assert.Empty(people.Error);

        Assert.Equal(Clients, (int)(await tool.JsonAsync(["admin", "clients", "revoke", "--dry-run", .. origin]))["matched"]!);
        var unasked = await tool.RunAsync(["admin", "clients", "revoke", .. origin]);
        Assert.Equal(ExitCode.Usage, unasked.ExitCode);
        Assert.Contains($"Revoke {Clients} clients of onboarding_client {onboarding.ClientId} permanently?", unasked.Error, StringComparison.Ordinal);
        Assert.Contains("--yes", unasked.Error, StringComparison.Ordinal);
        Assert.Equal("active", (string?)(await server.GetAsync($"clients/{Ids(all)[0]}"))["status"]);

        Assert.Equal(Clients, (int)(await tool.JsonAsync(["admin", "clients", "suspend", "--yes", .. origin]))["suspended"]!);
        Assert.Equal(Clients, (int)(await tool.JsonAsync(["admin", "clients", "resume", "--dry-run", .. origin]))["matched"]!);
        Assert.Equal(Clients, (int)(await tool.JsonAsync(["admin", "clients", "resume", "--yes", .. origin]))["resumed"]!);
        var revoked = await tool.SucceedAsync(["admin", "clients", "revoke", "--yes", "--kid", onboarding.Key.PublicJwk.Kid!, .. origin]);
        Assert.Contains($"revoked     {Clients}", revoked.Out, StringComparison.Ordinal);
        Assert.Contains($"dcr admin clients suspend {onboarding.ClientId}", revoked.Error, StringComparison.Ordinal);
        Assert.Contains("none", (await tool.SucceedAsync(["admin", "clients", "list", "--status", "active", .. origin])).Out, StringComparison.Ordinal);
        Assert.Contains("nothing to revoke", (await tool.SucceedAsync(["admin", "clients", "revoke", .. origin])).Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Finds_clients_by_whatever_is_known_of_them()
    {
        var onboarding = await server.OnboardAsync();
        var id = (await server.RegisterAsync(onboarding))[0];
        using var tool = await new DcrTool().KnowAsync(server, "admin");

        var shown = await tool.JsonAsync("admin", "clients", "show", id);
        Assert.Equal(onboarding.ClientId, (string?)shown["origin"]!["onboarding_client"]);
        Assert.Contains(onboarding.ClientId, (await tool.SucceedAsync("admin", "clients", "show", id)).Out, StringComparison.Ordinal);
        Assert.Equal(["client_id"], MatchedAs(await tool.JsonAsync("admin", "clients", "find", id), id));
        // The kid of a key that was made here is its thumbprint.
        Assert.Equal(["kid", "thumbprint"], MatchedAs(await tool.JsonAsync("admin", "clients", "find", onboarding.Key.PublicJwk.Kid!), id));
        Assert.Equal(["initial_token_jti"], MatchedAs(await tool.JsonAsync("admin", "clients", "find", (string)shown["origin"]!["initial_token_jti"]!), id));
        var both = await tool.SucceedAsync("admin", "clients", "find", onboarding.ClientId);
        Assert.Equal(1 + 2, Lines(both.Out));
        Assert.Contains("client_id  ", both.Out, StringComparison.Ordinal);
        Assert.Contains("onboarding_client  ", both.Out, StringComparison.Ordinal);

        var nobody = await tool.RunAsync("admin", "clients", "find", "https://nobody.example/#%2F");
        Assert.Equal(ExitCode.Unhealthy, nobody.ExitCode);
        Assert.Empty(nobody.Out);
        Assert.Contains("dcr admin audit --subject", nobody.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Refused, (await tool.RunAsync("admin", "clients", "show", "nobody")).ExitCode);
        Assert.Equal(ExitCode.Usage, (await tool.RunAsync("admin", "clients", "show", "..")).ExitCode);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Changes_each_of_several_clients_and_tells_which_it_could_not()
    {
        var ids = await server.RegisterAsync(await server.OnboardAsync(uses: 2), 2);
        using var tool = await new DcrTool().KnowAsync(server, "admin");

        var other = await server.RegisterAsync(await server.OnboardAsync());
        await tool.SucceedAsync("admin", "clients", "revoke", other[0], "--yes");
        Assert.Equal(ids, Ids(await tool.JsonAsync("admin", "clients", "suspend", ids[0], ids[1])));

        // What is revoked stays so; the others go on.
        var resumed = await tool.RunAsync("admin", "clients", "resume", other[0], ids[0], ids[1]);
        Assert.Equal(ExitCode.Refused, resumed.ExitCode);
        Assert.Equal(1 + 2, Lines(resumed.Out));
        Assert.Contains($"{other[0]}: The server refused: 409", resumed.Error, StringComparison.Ordinal);
        Assert.All(await StatusesAsync(ids), status => Assert.Equal("active", status));
        var again = await tool.RunAsync("admin", "clients", "resume", other[0], ids[0], "--json");
        Assert.Equal(ExitCode.Refused, again.ExitCode);
        Assert.Equal([ids[0], other[0]], Ids(again.Json));
        Assert.NotNull((string?)again.Json["items"]![1]!["failure"]!["error"]);

        Assert.Equal(ids, Ids(await tool.JsonAsync("admin", "clients", "sign-out", ids[0], ids[1])));
        Assert.Equal(ExitCode.Usage, (await tool.RunAsync("admin", "clients", "revoke", ids[0], ids[1])).ExitCode);
        Assert.Equal(ExitCode.Usage, (await tool.RunAsync("admin", "clients", "revoke", ids[0], ".", "--yes")).ExitCode);
        Assert.All(await StatusesAsync(ids), status => Assert.Equal("active", status));
        Assert.All((await tool.JsonAsync("admin", "clients", "revoke", ids[0], ids[1], "--yes"))["items"]!.AsArray(), client => Assert.Equal("revoked", (string?)client!["status"]));
        var forGood = await tool.RunAsync("admin", "clients", "resume", ids[0]);
        Assert.Equal(ExitCode.Refused, forGood.ExitCode);
        Assert.Contains("permanent", forGood.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("suspend")]
    [InlineData("resume")]
    [InlineData("revoke", "--yes")]
    [InlineData("sign-out")]
    [Requirement("P-CLI-ADMIN")]
    public async Task Changes_none_of_several_clients_where_one_is_no_client(string action, params string[] options)
    {
        var ids = await server.RegisterAsync(await server.OnboardAsync(uses: 2), 2);
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var before = await VersionsAsync(ids);

        var refused = await tool.RunAsync(["admin", "clients", action, ids[0], "nobody", ids[1], .. options]);
        Assert.Equal(ExitCode.Refused, refused.ExitCode);
        Assert.Contains("Nothing was done: the server knows no client nobody.", refused.Error, StringComparison.Ordinal);
        var words = await tool.RunAsync(["admin", "clients", action, ids[0], "lost phone", .. options]);
        Assert.Equal(ExitCode.Usage, words.ExitCode);
        Assert.Contains("'lost phone' is no client_id. Nothing was done.", words.Error, StringComparison.Ordinal);

        Assert.Equal(before, await VersionsAsync(ids));
    }

    [Theory]
    [InlineData("--dryrun", "Did you mean --dry-run?", "revoke", "warehouse-7", "--dryrun", "--yes")]
    [InlineData("--dryrun", "Did you mean --dry-run?", "revoke", "--yes", "warehouse-7", "--dryrun=true")]
    [InlineData("--cause", "put -- before it", "suspend", "warehouse-7", "--cause", "lost phone")]
    [InlineData("--dryrun", "Did you mean --dry-run?", "revoke", "--onboarding-client", "--dryrun", "--yes")]
    [InlineData("-n", "put -- before it", "sign-out", "warehouse-7", "-n")]
    [Requirement("P-CLI-ADMIN", "P-CLI-EXIT")]
    public async Task Takes_no_unknown_option_for_an_id(string option, string hint, params string[] arguments)
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var before = await VersionsAsync(["warehouse-7"]);
        var answer = await tool.RunAsync(["admin", "clients", .. arguments]);
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains($"error: Unrecognized option {option}", answer.Error, StringComparison.Ordinal);
        Assert.Contains(hint, answer.Error, StringComparison.Ordinal);
        Assert.Equal(before, await VersionsAsync(["warehouse-7"]));
    }

    [Theory]
    [InlineData("revoke", "--yes")]
    [InlineData("revoke", "warehouse-7", "--onboarding-client", "partner-directory", "--yes")]
    [InlineData("revoke", "warehouse-7", "--dry-run", "--yes")]
    [InlineData("suspend", "--onboarding-client", "", "--yes")]
    [InlineData("list", "--limit", "0")]
    [InlineData("list", "--status", "dead")]
    [InlineData("exception", "set", "warehouse-7", "--until", "90d")]
    [InlineData("exception", "set", "warehouse-7", "--own-endpoints")]
    [InlineData("exception", "set", "warehouse-7", "--own-endpoints", "--until", "tomorrow")]
    [Requirement("P-CLI-ADMIN")]
    public async Task Rejects_what_is_not_clear(params string[] arguments)
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var answer = await tool.RunAsync(["admin", "clients", .. arguments]);
        Assert.True(answer.ExitCode == ExitCode.Usage, answer.ToString());
        Assert.Equal("active", (string?)(await server.GetAsync("clients/warehouse-7"))["status"]);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Allows_a_change_of_keys()
    {
        var id = (await server.RegisterAsync(await server.OnboardAsync()))[0];
        using var tool = await new DcrTool().KnowAsync(server, "admin");

        Assert.Contains("key_change_allowed_until", (await tool.SucceedAsync("admin", "clients", "allow-key-change", id)).Out, StringComparison.Ordinal);
        var seeded = await tool.RunAsync("admin", "clients", "allow-key-change", "warehouse-7");
        Assert.Equal(ExitCode.Refused, seeded.ExitCode);
        Assert.Contains("does not manage itself", seeded.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN", "P-AUDIENCE")]
    public async Task Sets_shows_lists_and_removes_an_exception_for_assertions()
    {
        var id = (await server.RegisterAsync(await server.OnboardAsync()))[0];
        using var tool = await new DcrTool().KnowAsync(server, "admin");

        var set = await tool.JsonAsync("admin", "clients", "exception", "set", id, "--own-endpoints", "--max-lifetime", "1h", "--until", "90d");
        var exception = set["assertion_exception"]!;
        Assert.Equal(("own_endpoints", 3600), ((string?)exception["audience"], (int)exception["max_lifetime_seconds"]!));
        Assert.Equal(90, ((DateTimeOffset)exception["until"]! - DateTimeOffset.UtcNow).TotalDays, tolerance: 0.1);
        Assert.Contains((await tool.JsonAsync("admin", "clients", "exception", "list", "--all"))["items"]!.AsArray(), item => (string?)item!["client_id"] == id);
        Assert.Contains("own_endpoints", (await tool.SucceedAsync("admin", "clients", "exception", "list", "--all")).Out, StringComparison.Ordinal);

        Assert.False((await tool.JsonAsync("admin", "clients", "exception", "remove", id)).ContainsKey("assertion_exception"));
        Assert.DoesNotContain((await tool.JsonAsync("admin", "clients", "exception", "list", "--all"))["items"]!.AsArray(), item => (string?)item!["client_id"] == id);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Shows_the_keys_of_a_client_and_blocks_one()
    {
        var id = (await server.RegisterAsync(await server.OnboardAsync()))[0];
        using var tool = await new DcrTool().KnowAsync(server, "admin");

        var key = (await tool.JsonAsync("admin", "clients", "keys", "list", id))["items"]![0]!;
        var thumbprint = (string)key["thumbprint"]!;
        Assert.Equal("active", (string?)key["state"]);
        Assert.Equal("quarantined", (string?)(await tool.JsonAsync("admin", "clients", "keys", "quarantine", id, thumbprint))["state"]);
        var blocked = await tool.SucceedAsync("admin", "clients", "keys", "list", id);
        Assert.Contains("quarantined", blocked.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("fresh_until", blocked.Out, StringComparison.Ordinal);
        Assert.Contains("active", (await tool.SucceedAsync("admin", "clients", "keys", "release", id, thumbprint)).Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Refused, (await tool.RunAsync("admin", "clients", "keys", "quarantine", id, "short")).ExitCode);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Shows_the_audit_trail_and_reaps()
    {
        var id = (await server.RegisterAsync(await server.OnboardAsync()))[0];
        await server.PostAsync($"clients/{id}/suspend");
        using var tool = await new DcrTool().KnowAsync(server, "admin");

        var trail = await tool.SucceedAsync("admin", "audit", "--subject", id);
        Assert.Contains("status: active -> suspended", trail.Out, StringComparison.Ordinal);
        Assert.Equal(1 + 2, Lines(trail.Out));
        var newest = (await tool.JsonAsync("admin", "audit", "--subject", id, "--limit", "1"))["items"]!.AsArray();
        Assert.Equal("client.suspended", (string?)Assert.Single(newest)!["action"]);
        Assert.True((bool)(await tool.JsonAsync("admin", "reap", "--dry-run"))["done"]!);
        Assert.Contains("expired", (await tool.SucceedAsync("admin", "reap")).Out, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-ADMIN")]
    public async Task Fails_for_who_is_no_admin_and_where_there_is_no_server()
    {
        using var tool = await new DcrTool().KnowAsync(server, "warehouse");
        var stranger = await tool.RunAsync("admin", "clients", "list");
        Assert.Equal(ExitCode.Usage, stranger.ExitCode);
        Assert.Contains("dcr profile set admin", stranger.Error, StringComparison.Ordinal);

        var noRight = await tool.RunAsync("admin", "clients", "suspend", "warehouse-8", "warehouse-9", "-p", "warehouse", "--json");
        Assert.Equal(ExitCode.Refused, noRight.ExitCode);
        Assert.Empty(noRight.Out);
        var failure = JsonNode.Parse(noRight.Error)!;
        Assert.Equal("invalid_scope", (string?)failure["error"]);
        Assert.Contains("is no administrator", (string?)failure["message"], StringComparison.Ordinal);

        var away = await tool.RunAsync("admin", "clients", "list", "--json", "-p", "warehouse", "--server", $"http://127.0.0.1:{Ports.Free()}");
        Assert.Equal(ExitCode.Unreachable, away.ExitCode);
        Assert.Empty(away.Out);
    }

    [Theory]
    [InlineData("admin", "clients", "list")]
    [InlineData("admin", "clients", "find", "partner-directory")]
    [InlineData("admin", "clients", "keys", "list", "warehouse-7")]
    [InlineData("admin", "audit", "--limit", "20")]
    [InlineData("admin", "onboarding", "list")]
    [InlineData("admin", "signing-keys", "list")]
    [InlineData("profile", "list")]
    [InlineData("doctor", "-p", "warehouse")]
    [Requirement("P-CLI-TABLES")]
    public async Task Lists_fit_a_terminal_of_80_columns(params string[] arguments)
    {
        var ids = await server.RegisterAsync(await server.OnboardAsync());
        using var tool = await new DcrTool().KnowAsync(server, "admin", "warehouse");
        var shown = await tool.RunOnTerminalAsync(80, "", arguments);
        Assert.Equal(ExitCode.Success, shown.ExitCode);
        Assert.NotEmpty(ids);
        var lines = Colours().Replace(shown.Out, "").Split('\n');
        // A single word that is longer, such as the path of a file, is not broken either.
        Assert.All(lines, line => Assert.True(line.Length <= 80 || line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length <= 2 || IsFact(line), line));
        Assert.DoesNotContain(lines, line => line.EndsWith(' '));
        var piped = await tool.SucceedAsync(arguments);
        Assert.DoesNotContain(piped.Out.Split('\n'), line => line.EndsWith(' '));

        static bool IsFact(string line) => line.StartsWith("keys ", StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-TABLES")]
    public async Task Shows_where_two_long_values_differ()
    {
        var onboarding = await server.OnboardAsync();
        var same = new string('x', 60);
        var entry = await server.GetAsync($"onboarding-clients/{onboarding.ClientId}");
        foreach (var member in new[] { "status", "created_at", "version", "live_clients", "suspension" })
        {
            entry.Remove(member);
        }
        foreach (var name in new[] { $"{same} before {same}", $"{same} after {same}" })
        {
            entry["client_name"] = name;
            await server.Admin.SendAsync(HttpMethod.Put, $"onboarding-clients/{onboarding.ClientId}", entry.DeepClone());
        }
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var trail = await tool.SucceedAsync("admin", "audit", "--subject", onboarding.ClientId, "--limit", "1");
        Assert.Contains("before", trail.Out, StringComparison.Ordinal);
        Assert.Contains("after", trail.Out, StringComparison.Ordinal);
    }

    private async Task<IReadOnlyList<string?>> StatusesAsync(IReadOnlyList<string> ids)
    {
        var statuses = new List<string?>();
        foreach (var id in ids)
        {
            statuses.Add((string?)(await server.GetAsync($"clients/{id}"))["status"]);
        }
        return statuses;
    }

    private async Task<IReadOnlyList<string?>> VersionsAsync(IReadOnlyList<string> ids)
    {
        var versions = new List<string?>();
        foreach (var id in ids)
        {
            versions.Add((await server.GetAsync($"clients/{id}"))["version"]!.ToJsonString());
        }
        return versions;
    }

    private static List<string> Ids(JsonObject page) => [.. page["items"]!.AsArray().Select(item => (string)item!["client_id"]!)];

    private static IEnumerable<string> MatchedAs(JsonObject found, string id)
    {
        var client = Assert.Single(found["items"]!.AsArray())!;
        Assert.Equal(id, (string?)client["client_id"]);
        return client["matched_as"]!.AsArray().Select(member => (string)member!);
    }

    [GeneratedRegex("\u001b\\[[0-9;]*m")]
    private static partial Regex Colours();

    private static int Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
}
