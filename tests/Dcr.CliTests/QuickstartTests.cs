using System.Text.RegularExpressions;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary><c>dcr quickstart</c>: a newcomer sees the whole flow, and the server is as it was.</summary>
public sealed partial class QuickstartTests(CliServer server)
{
    private readonly AdminRequests _admin = server.Admin;

    [Fact]
    [Requirement("P-CLI-QUICKSTART")]
    public async Task Tells_the_whole_flow_and_leaves_nothing_active()
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var profiles = Snapshot(tool.ConfigurationFolder);

        var answer = await tool.SucceedAsync("quickstart");

        foreach (var line in new[]
        {
            "1. The administrator lets two parties in",
            "2. A partner registers, with keys at a URL of its own",
            "ok The partner has an access token for the scope read.",
            "3. A phone registers, with a key that never leaves it",
            "ok The token is of no use without the key in the phone.",
            "ok The phone has an access token for the scope read.",
            "4. The partner renews its key, and nothing stands still",
            "ok The new key worked on its first use",
            "ok The old key still works.",
            "ok The old key is refused at once",
            "5. The administrator stops the partner",
            "ok The partner is revoked.",
            "6. The phone has noticed nothing",
            "ok The phone still works.",
            "7. All is cleared away",
            "Everything was as promised",
            "  partner       POST   /oauth/token                       401 assertion scope=read -> error=invalid_client",
            "  administrator POST   /admin/v1/onboarding-clients       201 scope=dcr -> client_id=quickstart-app-",
            "  partner       POST   /oauth/register                    201 scope=read jwks_uri=http://127.0.0.1:",
            "  phone         POST   /oauth/token                       200 attestation DPoP scope=dcr -> token_type=DPoP",
            "200 -> 2 public keys",
            "200 -> status=revoked",
            "200 -> state=quarantined",
            "To try next:",
        })
        {
            Assert.Contains(line, answer.Out, StringComparison.Ordinal);
        }
        // Who came in how, with which key, and what became of it.
        Assert.Matches("(?m)^partner +by the directory's token +at its URL, renewed; the first is blocked +revoked +[^ ]+$", answer.Out);
        Assert.Empty(answer.Error);
        AssertNoSecret(answer);
        Assert.Equal(profiles, Snapshot(tool.ConfigurationFolder));
        await AssertNothingActiveAsync(_admin, answer.Out);
    }

    [Fact]
    [Requirement("P-CLI-QUICKSTART")]
    public async Task Shows_what_is_in_each_request_where_that_is_wanted()
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var answer = await tool.SucceedAsync("quickstart", "--verbose");
        Assert.Contains("< 401 error=invalid_client", answer.Out, StringComparison.Ordinal);
        Assert.Contains($"> POST {server.Issuer}/oauth/register with a Bearer token", answer.Out, StringComparison.Ordinal);
        Assert.Contains("registration_access_token=(secret)", answer.Out, StringComparison.Ordinal);
        Assert.Contains("200 -> 2 public keys", answer.Out, StringComparison.Ordinal);
        AssertNoSecret(answer);
        await AssertNothingActiveAsync(_admin, answer.Out);
    }

    [Fact]
    [Requirement("P-CLI-QUICKSTART", "P-CLI-TABLES")]
    public async Task Fits_a_terminal_of_80_columns()
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var answer = await tool.RunOnTerminalAsync(80, "", "quickstart");
        Assert.Equal(ExitCode.Success, answer.ExitCode);
        // Requests are one line each, however long.
        Assert.All(Colours().Replace(answer.Out, "").Split('\n'), line => Assert.True(line.Length <= 80 || Request().IsMatch(line), line));
    }

    [Fact]
    [Requirement("P-CLI-QUICKSTART")]
    [Requirement("P-CLI-EXIT")]
    public async Task Gives_one_document_and_is_done_in_ten_seconds()
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var answer = await tool.SucceedAsync("quickstart", "--json");
        var document = answer.Json;
        Assert.True((bool)document["ok"]!);
        Assert.InRange((long)document["elapsed_ms"]!, 1, 10_000);
        Assert.Equal(server.Issuer, (string?)document["server"]);
        var steps = document["steps"]!.AsArray();
        Assert.Equal(7, steps.Count);
        Assert.All(steps, step =>
        {
            Assert.NotEmpty((string)step!["title"]!);
            Assert.True((bool)step["ok"]!);
            Assert.NotEmpty(step["shown"]!.AsArray());
            Assert.NotEmpty(step["requests"]!.AsArray());
            Assert.All(step["requests"]!.AsArray(), request =>
            {
                Assert.Contains((string)request!["method"]!, new[] { "GET", "POST", "DELETE" });
                Assert.StartsWith("http://", (string)request["url"]!, StringComparison.Ordinal);
                Assert.InRange((int)request["status"]!, 200, 401);
            });
        });
        // The server came to the partner for its first key, and for the second one.
        Assert.Equal(2, steps.SelectMany(step => step!["requests"]!.AsArray()).Count(request => (string?)request!["from"] == "server"));
        Assert.Empty(answer.Error);
        AssertNoSecret(answer);
        await AssertNothingActiveAsync(_admin, answer.Out);
    }

    [Fact]
    [Requirement("P-CLI-QUICKSTART")]
    public async Task Rejects_a_server_that_takes_no_jwks_uri_on_this_machine_and_says_how_to_start_one_that_does()
    {
        await using var strict = await OwnServer.StartAsync();
        using var tool = new DcrTool();
        var answer = await tool.RunAsync(["quickstart", .. strict.AsAdministrator]);
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("dotnet run --project src/Dcr.Server -- --Dcr:Jwks:AllowHttp true --Dcr:Jwks:AllowPrivateNetworks true", answer.Error, StringComparison.Ordinal);
        AssertNoSecret(answer);
        await AssertNothingActiveAsync(strict.Admin, answer.Out);
    }

    [Fact]
    [Requirement("P-CLI-QUICKSTART")]
    [Requirement("P-CLI-EXIT")]
    public async Task Says_what_is_not_as_promised_and_clears_away()
    {
        // A set of two keys is refused, so the new one cannot work on its first use.
        await using var odd = await OwnServer.StartAsync("--Dcr:Jwks:AllowHttp", "true", "--Dcr:Jwks:AllowPrivateNetworks", "true", "--Dcr:Jwks:MaxKeys", "1");
        using var tool = new DcrTool();
        var answer = await tool.RunAsync(["quickstart", "--json", .. odd.AsAdministrator]);
        Assert.Equal(ExitCode.Unhealthy, answer.ExitCode);
        Assert.Contains("Not as promised, in \\\"The partner renews its key", answer.Error, StringComparison.Ordinal);
        Assert.False((bool)answer.Json["ok"]!);
        Assert.False((bool)answer.Json["steps"]!.AsArray()[^1]!["ok"]!);
        AssertNoSecret(answer);
        await AssertNothingActiveAsync(odd.Admin, answer.Out);
    }

    [Fact]
    [Requirement("P-CLI-QUICKSTART")]
    [Requirement("P-CLI-EXIT")]
    public async Task Rejects_somebody_who_is_no_admin()
    {
        using var tool = await new DcrTool().KnowAsync(server, "directory");
        var answer = await tool.RunAsync("quickstart", "-p", "directory");
        Assert.Equal(ExitCode.Refused, answer.ExitCode);
        Assert.Contains("error:", answer.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Everything was as promised", answer.Out, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-QUICKSTART")]
    [Requirement("P-CLI-EXIT")]
    public async Task Clears_away_when_it_is_stopped_in_the_middle()
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        // With job control, or bash would have the command ignore Ctrl+C.
        var answer = await tool.ShellOfProcessesAsync("""
            set -m
            dcr quickstart > told.txt 2> errors.txt &
            until grep -q '^3[.]' told.txt; do kill -0 $! || break; sleep 0.02; done
            kill -INT $!
            code=0; wait $! || code=$?
            cat told.txt; cat errors.txt >&2
            exit $code
            """);
        Assert.Equal(ExitCode.Cancelled, answer.ExitCode);
        Assert.DoesNotContain("Everything was as promised", answer.Out, StringComparison.Ordinal);
        await AssertNothingActiveAsync(_admin, answer.Out);
    }

    private static async Task AssertNothingActiveAsync(AdminRequests admin, string told)
    {
        var onboardingClients = OnboardingClients().Matches(told).Select(match => match.Value).Distinct().ToList();
        Assert.Equal(2, onboardingClients.Count);
        var there = await admin.OnboardingClientsAsync("quickstart-");
        foreach (var onboardingClient in onboardingClients)
        {
            Assert.DoesNotContain(onboardingClient, there);
            Assert.Equal(0, await admin.CountAsync(onboardingClient, "active"));
        }
    }

    private static void AssertNoSecret(DcrAnswer answer)
    {
        Assert.DoesNotContain("eyJ", answer.Out + answer.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("\"d\"", answer.Out + answer.Error, StringComparison.Ordinal);
        Assert.DoesNotMatch("""registration_access_token["=: ]+[A-Za-z0-9]""", answer.Out + answer.Error);
    }

    private static List<string> Snapshot(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(file => $"{file}: {File.ReadAllText(file)}")];

    [GeneratedRegex("\u001b\\[[0-9;]*m")]
    private static partial Regex Colours();

    [GeneratedRegex("^  [a-z]+ +(GET|POST|DELETE) ")]
    private static partial Regex Request();

    [GeneratedRegex("quickstart-(directory|app)-[0-9a-f]{6}")]
    private static partial Regex OnboardingClients();
}
