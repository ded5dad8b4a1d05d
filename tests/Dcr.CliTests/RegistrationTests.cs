using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary><c>dcr register</c> and <c>dcr client</c>: from nobody to a client that reads, changes and deletes itself.</summary>
public sealed class RegistrationTests(CliServer server) : IAsyncLifetime
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
    public async Task Registers_a_client_with_a_new_key_and_uses_reads_changes_and_deletes_it()
    {
        var client = await _tool.JsonAsync("register", "--via", "directory", "--name", "Warehouse 8", "--scope", "read");
        var id = (string)client["client_id"]!;
        Assert.Equal("Warehouse 8", (string?)client["client_name"]);
        Assert.Null(client["registration_access_token"]);

        Assert.Equal(id, (string?)(await _tool.JsonAsync("token", "--scope", "read"))["client_id"]);
        Assert.Equal("read", (string?)(await _tool.JsonAsync("client", "show"))["scope"]);

        var changed = await _tool.JsonAsync("client", "update", "--scope", "read write");
        Assert.Equal("read write", (string?)changed["scope"]);
        Assert.Equal("Warehouse 8", (string?)changed["client_name"]);
        // With the token that the update handed out.
        Assert.Equal("read write", (string?)(await _tool.JsonAsync("client", "show"))["scope"]);
        await _tool.SucceedAsync("token", "--scope", "write");

        Assert.True((bool?)(await _tool.JsonAsync("client", "delete", "--yes"))["deleted"]);
        Assert.Equal(ExitCode.Usage, (await _tool.RunAsync("client", "show")).ExitCode);
        var key = Path.Combine(_tool.ConfigurationFolder, "profiles", "default.pem");
        Assert.Equal(ExitCode.Refused, (await _tool.RunAsync("token", "--server", server.Issuer, "--client-id", id, "--key", key)).ExitCode);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Registers_with_a_token_that_was_handed_over_in_a_file_in_the_environment_or_on_standard_input()
    {
        await _tool.SucceedAsync("token", "-p", "directory", "--scope", "dcr", "--out", "initial.token");
        var token = await File.ReadAllTextAsync(_tool.PathOf("initial.token"), TestContext.Current.CancellationToken);

        await _tool.SucceedAsync("register", "-p", "one", "--server", server.Issuer, "--initial-token-file", "initial.token");
        var piped = await _tool.RunWithInputAsync(token, "register", "-p", "two", "--server", server.Issuer, "--initial-token-file", "-");
        Assert.True(piped.ExitCode == 0, piped.ToString());
        _tool.Environment["DCR_INITIAL_ACCESS_TOKEN"] = token.Trim();
        await _tool.SucceedAsync("register", "-p", "three", "--server", server.Issuer);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Tries_a_registration_out_and_registers_nothing()
    {
        var refused = await _tool.RunAsync("register", "--via", "directory", "--scope", "delete", "--validate-only");
        Assert.Equal(ExitCode.Refused, refused.ExitCode);
        Assert.Equal("read", (string?)(await _tool.JsonAsync("register", "--via", "directory", "--validate-only"))["scope"]);
        Assert.Equal(ExitCode.Usage, (await _tool.RunAsync("client", "show")).ExitCode);
        Assert.Equal(["directory.json"], Directory.GetFiles(Path.Combine(_tool.ConfigurationFolder, "profiles")).Select(Path.GetFileName));
        await _tool.SucceedAsync("register", "--via", "directory");
    }

    [Fact]
    [Requirement("P-CLI-EXIT")]
    public async Task Says_what_is_wrong_with_a_token_that_was_handed_over()
    {
        var onboarding = await server.OnboardAsync();
        await File.WriteAllTextAsync(_tool.PathOf("once.pem"), onboarding.Key is Dcr.Client.ClientKey key ? key.ExportPrivatePemUnencrypted() : "", TestContext.Current.CancellationToken);
        await _tool.SucceedAsync("token", "--server", server.Issuer, "--client-id", onboarding.ClientId, "--key", "once.pem", "--scope", "dcr", "--out", "initial.token");
        await _tool.SucceedAsync("register", "-p", "first", "--server", server.Issuer, "--initial-token-file", "initial.token");

        var again = await _tool.RunAsync("register", "-p", "second", "--server", server.Issuer, "--initial-token-file", "initial.token");
        Assert.Equal(ExitCode.Refused, again.ExitCode);
        Assert.Contains("The server refuses the initial access token: it is used up", again.Error, StringComparison.Ordinal);

        await _tool.SucceedAsync("token", "-p", "first", "--out", "other.token");
        var other = await _tool.RunAsync("register", "-p", "second", "--server", server.Issuer, "--initial-token-file", "other.token", "--validate-only");
        Assert.Contains("insufficient_scope", other.Error, StringComparison.Ordinal);
        await File.WriteAllTextAsync(_tool.PathOf("no.token"), "no token", TestContext.Current.CancellationToken);
        var none = await _tool.RunAsync("register", "-p", "second", "--server", server.Issuer, "--initial-token-file", "no.token", "--validate-only");
        Assert.Equal(ExitCode.Refused, none.ExitCode);
        Assert.Contains("it is no JWT", none.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Proves_its_key_where_the_policy_gives_tokens_for_a_key_only()
    {
        await _tool.KnowAsync(server, "device-maker");
        await _tool.SucceedAsync("register", "--via", "device-maker", "-p", "phone");
        await _tool.SucceedAsync("token", "-p", "phone");
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Reads_metadata_from_a_file_and_takes_a_member_away_with_null()
    {
        var metadata = new JsonObject { ["client_name"] = "From a file", ["contacts"] = new JsonArray("ops@partner.example"), ["client_name#ja"] = "倉庫" };
        await File.WriteAllTextAsync(_tool.PathOf("metadata.json"), metadata.ToJsonString(), TestContext.Current.CancellationToken);

        var client = await _tool.JsonAsync("register", "--via", "directory", "--metadata", "metadata.json", "--scope", "read write");
        Assert.Equal("倉庫", (string?)client["client_name#ja"]);
        Assert.Equal("read write", (string?)client["scope"]);

        var patched = await _tool.RunWithInputAsync("{\"contacts\": null, \"client_name\": \"Another\"}", "client", "update", "--metadata", "-", "--json");
        Assert.True(patched.ExitCode == 0, patched.ToString());
        Assert.Null(patched.Json["contacts"]);
        Assert.Equal("Another", (string?)patched.Json["client_name"]);
        Assert.Equal("倉庫", (string?)patched.Json["client_name#ja"]);
    }

    [Fact]
    [Requirement("P-CLI-EXIT")]
    public async Task Says_which_rule_a_registration_breaks_and_can_be_run_again()
    {
        var refused = await _tool.RunAsync("register", "--via", "directory", "--scope", "read delete");
        Assert.Equal(ExitCode.Refused, refused.ExitCode);
        Assert.Contains("delete may not be registered", refused.Error, StringComparison.Ordinal);

        await _tool.SucceedAsync("register", "--via", "directory", "--scope", "read");
        var again = await _tool.RunAsync("register", "--via", "directory");
        Assert.Equal(ExitCode.Usage, again.ExitCode);
        Assert.Contains("--profile", again.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no JSON")]
    [InlineData("[]")]
    [InlineData("{\"scope\": \"read\", \"scope\": \"write\"}")]
    [InlineData("{\"contacts\": 7}")]
    [Requirement("P-CLI-EXIT")]
    public async Task Rejects_metadata_that_is_none(string text)
    {
        await File.WriteAllTextAsync(_tool.PathOf("metadata.json"), text, TestContext.Current.CancellationToken);
        var answer = await _tool.RunAsync("register", "--via", "directory", "--metadata", "metadata.json");
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("metadata.json", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-EXIT")]
    public async Task Does_not_register_without_a_right_to()
    {
        var answer = await _tool.RunAsync("register", "--server", server.Issuer);
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("--via", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-EXIT")]
    public async Task Does_not_delete_a_client_without_being_sure()
    {
        await _tool.SucceedAsync("register", "--via", "directory");
        var answer = await _tool.RunAsync("client", "delete");
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        await _tool.SucceedAsync("client", "show");
    }

    [Fact]
    [Requirement("P-CLI-SECRET")]
    public async Task Never_shows_a_token_of_a_registration()
    {
        var all = (await _tool.SucceedAsync("register", "--via", "directory", "-v")).ToString()
            + await _tool.SucceedAsync("client", "show", "-v")
            + await _tool.SucceedAsync("client", "update", "--name", "Other", "-v")
            + await _tool.SucceedAsync("profile", "show");
        var kept = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(_tool.ConfigurationFolder, "profiles", "default.registration.json"), TestContext.Current.CancellationToken))!;
        Assert.DoesNotContain((string)kept["registration_access_token"]!, all, StringComparison.Ordinal);
        Assert.DoesNotContain("eyJ", all, StringComparison.Ordinal);
        Assert.Contains("registration_access_token=(secret)", all, StringComparison.Ordinal);
    }
}
