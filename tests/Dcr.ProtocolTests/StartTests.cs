using System.Net;
using System.Text.Json.Nodes;
using Dcr.ProtocolTests.Support;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>A start that fails has changed nothing.</summary>
public sealed class StartTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dcr-start-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private IEnumerable<string> Files => Directory.EnumerateFileSystemEntries(_folder, "*", SearchOption.AllDirectories);

    [Fact]
    [Requirement("P-START")]
    public async Task Asking_for_help_makes_nothing()
    {
        var (exitCode, output) = await ServerProcess.RunAsync(["--help"], _folder);
        Assert.Equal(0, exitCode);
        Assert.Contains("--Dcr:Issuer", output, StringComparison.Ordinal);
        Assert.Empty(Files);
    }

    [Fact]
    [Requirement("P-START")]
    public async Task A_setting_that_is_at_fault_makes_nothing()
    {
        var (exitCode, output) = await ServerProcess.RunAsync(["--urls", $"http://127.0.0.1:{Ports.Free()}", "--Dcr:AccessTokenLifetime", "00:00:01"], _folder);
        Assert.NotEqual(0, exitCode);
        Assert.Contains("Dcr:AccessTokenLifetime", output, StringComparison.Ordinal);
        Assert.Empty(Files);
    }

    [Fact]
    [Requirement("P-START")]
    public async Task A_port_in_use_makes_nothing_and_changes_nothing()
    {
        await using var first = new SqliteServer();
        await first.InitializeAsync();
        var address = first.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);

        var (exitCode, output) = await ServerProcess.RunAsync(["--urls", address], _folder);
        Assert.NotEqual(0, exitCode);
        Assert.Contains("address already in use", output, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(Files);

        // Another seed file on the store of the server that listens there.
        var before = State(first);
        var seed = JsonNode.Parse(await File.ReadAllTextAsync(first.SeedPath, Cancellation))!;
        seed["clients"]![0]!["registration_policy"]!["scope"]!["allowed"]!.AsArray().Add("everything");
        await File.WriteAllTextAsync(first.SeedPath, seed.ToJsonString(), Cancellation);
        (exitCode, _) = await ServerProcess.RunAsync(first.Arguments(address, first.Issuer), first.Directory);
        Assert.NotEqual(0, exitCode);
        Assert.Equal(before, State(first));
    }

    private static string State(DcrServer server)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(server.Directory, "dcr.db")};Pooling=False;Mode=ReadOnly");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT group_concat(client_id || version || policy), (SELECT count(*) FROM audit), (SELECT count(*) FROM signing_keys) FROM clients";
        using var reader = command.ExecuteReader();
        Assert.True(reader.Read());
        return $"{reader[0]} {reader[1]} {reader[2]} {string.Join(' ', System.IO.Directory.EnumerateFiles(server.Directory, "*", SearchOption.AllDirectories).Order())}";
    }
}

/// <summary>The first administrator is made whenever there is none, whatever else is in the store.</summary>
public abstract class FirstAdministratorTests : IAsyncLifetime
{
    private readonly DcrServer _server;

    protected FirstAdministratorTests(DcrServer server)
    {
        Assert.SkipWhen(server.SkipReason is not null, server.SkipReason ?? "");
        _server = server;
    }

    public async ValueTask InitializeAsync()
    {
        await _server.PrepareAsync();
        var seed = JsonNode.Parse(await File.ReadAllTextAsync(_server.SeedPath, TestContext.Current.CancellationToken))!;
        var clients = seed["clients"]!.AsArray();
        clients.Remove(clients.Single(client => client!["client_id"]!.GetValue<string>() == DcrServer.Admin));
        await File.WriteAllTextAsync(_server.SeedPath, seed.ToJsonString(), TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _server.DisposeAsync();
    }

    [Fact]
    [Requirement("P-FIRST", "P-START")]
    public async Task Is_made_by_the_next_start_when_one_fails_between()
    {
        var keyFile = Path.Combine(_server.Directory, "admin.jwk");
        // A folder stands where the key is to be written.
        Directory.CreateDirectory(keyFile);
        await Assert.ThrowsAnyAsync<Exception>(_server.StartAsync);
        await _server.StopAsync();
        Directory.Delete(keyFile);

        await _server.StartAsync();
        var admin = await _server.AccessTokenAsync(TestKey.Read(keyFile), "admin", "dcr.admin");
        var clients = (await _server.AdminAsync(HttpMethod.Get, "clients", admin)).Succeeded();
        Assert.Contains(clients.Json["items"]!.AsArray(), client => client!["client_id"]!.GetValue<string>() == DcrServer.OnboardingClient);
        Assert.Equal(HttpStatusCode.OK, (await _server.GetAsync("/health/ready")).Status);
    }

    [Fact]
    [Requirement("P-FIRST")]
    public async Task Is_made_also_beside_clients_and_only_while_there_is_none()
    {
        await _server.StartAsync();
        var keyFile = Path.Combine(_server.Directory, "admin.jwk");
        var first = TestKey.Read(keyFile);
        await _server.StopAsync();
        File.Delete(keyFile);
        await _server.StartAsync();
        Assert.False(File.Exists(keyFile));
        var admin = await _server.AccessTokenAsync(first, "admin", "dcr.admin");
        (await _server.AdminAsync(HttpMethod.Get, "clients", admin)).Succeeded();
    }
}

public sealed class FirstAdministratorTestsOnSqlite() : FirstAdministratorTests(new SqliteServer());

public sealed class FirstAdministratorTestsOnMongoDb() : FirstAdministratorTests(new MongoDbServer());
