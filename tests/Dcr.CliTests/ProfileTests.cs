using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary><c>dcr profile</c>, and where commands take server, client and key from.</summary>
public sealed class ProfileTests(CliServer server) : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly DcrTool _tool = new();

    public void Dispose() => _tool.Dispose();

    [Fact]
    [Requirement("P-CLI")]
    public async Task Remembers_what_is_set_and_keeps_what_was_there()
    {
        await _tool.SucceedAsync("profile", "set", "partner", "--server", server.Issuer, "--client-id", "warehouse-7");
        await _tool.SucceedAsync("profile", "set", "partner", "--key", server.WarehouseKey);

        var profile = await _tool.JsonAsync("profile", "show", "partner");

        Assert.Equal(server.Issuer, (string?)profile["server"]);
        Assert.Equal("warehouse-7", (string?)profile["client_id"]);
        Assert.Equal(server.WarehouseKey, (string?)profile["key_file"]);
        Assert.Equal("partner", (string?)(await _tool.JsonAsync("profile", "list"))["items"]![0]!["profile"]);
    }

    [Fact]
    [Requirement("P-CLI-SECRET")]
    public async Task Keeps_profiles_and_registrations_where_only_the_user_can_read_them()
    {
        await _tool.KnowAsync(server, "directory");
        await _tool.SucceedAsync("register", "--via", "directory", "-p", "partner");

        var folder = Path.Combine(_tool.ConfigurationFolder, "profiles");
        Assert.Equal(OwnerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(folder));
        var files = Directory.GetFiles(folder);
        Assert.Equal(["directory.json", "partner.json", "partner.pem", "partner.registration.json"], files.Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.All(files, file => Assert.Equal(OwnerOnly, File.GetUnixFileMode(file)));
    }

    [Theory]
    [InlineData("../elsewhere")]
    [InlineData("a.registration")]
    [InlineData("")]
    [Requirement("P-CLI")]
    public async Task Rejects_a_name_that_could_be_another_file(string name)
    {
        var answer = await _tool.RunAsync("profile", "set", name, "--server", server.Issuer);
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.False(Directory.Exists(_tool.ConfigurationFolder) && Directory.EnumerateFiles(_tool.ConfigurationFolder, "*", SearchOption.AllDirectories).Any());
    }

    [Fact]
    [Requirement("P-CLI-EXIT")]
    public async Task Rejects_a_profile_that_is_not_there_and_says_how_to_make_it()
    {
        var answer = await _tool.RunAsync("token", "-p", "nobody");
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains("dcr profile set nobody", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Which server?")]
    [InlineData("Which client?", "--server")]
    [InlineData("Which key?", "--server", "--client-id")]
    [Requirement("P-CLI-EXIT")]
    public async Task Asks_for_what_is_missing(string question, params string[] given)
    {
        var values = new Dictionary<string, string> { ["--server"] = server.Issuer, ["--client-id"] = "warehouse-7" };
        var answer = await _tool.RunAsync(["token", .. given.SelectMany(option => new[] { option, values[option] })]);
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains(question, answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Options_go_before_the_environment_and_that_before_the_profile()
    {
        await _tool.SucceedAsync("profile", "set", "other", "--server", "http://127.0.0.1:9", "--client-id", "nobody", "--key", server.DirectoryKey);
        _tool.Environment["DCR_PROFILE"] = "other";
        Assert.Equal(ExitCode.Unreachable, (await _tool.RunAsync("token")).ExitCode);

        _tool.Environment["DCR_SERVER"] = server.Issuer;
        var refused = await _tool.RunAsync("token");
        Assert.Equal(ExitCode.Refused, refused.ExitCode);

        await _tool.SucceedAsync("token", "--client-id", "warehouse-7", "--key", server.WarehouseKey);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Asks_before_it_forgets_a_registration()
    {
        await _tool.RegisterAsync(server, "partner", "partner.pem");

        var refused = await _tool.RunAsync("profile", "remove", "partner");
        Assert.Equal(ExitCode.Usage, refused.ExitCode);
        Assert.Contains("--yes", refused.Error, StringComparison.Ordinal);
        await _tool.SucceedAsync("client", "show", "-p", "partner");

        Assert.True((bool?)(await _tool.JsonAsync("profile", "remove", "partner", "--yes"))["removed"]);
        Assert.Equal(ExitCode.Usage, (await _tool.RunAsync("profile", "show", "partner")).ExitCode);
        Assert.True(File.Exists(_tool.PathOf("partner.pem")));
    }
}
