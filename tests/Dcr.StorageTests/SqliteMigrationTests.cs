using System.Text.Json;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>A database of an earlier version, with clients, is brought up to date when the server starts.</summary>
public sealed class SqliteMigrationTests : IAsyncLifetime
{
    // Not begun: there is a folder, and no database yet.
    private readonly SqliteUnderTest _store = new();
    private Node? _node;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }
        await _store.DisposeAsync();
    }

    /// <summary>Tables of the first version, and clients in them as that version wrote them.</summary>
    private void WriteFirstVersion(params IEnumerable<Client> clients)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_store.DatabasePath)!);
        using var connection = new SqliteConnection($"Data Source={_store.DatabasePath};Pooling=False");
        connection.Open();
        Run(connection, SqliteSchema.Main[0] + "PRAGMA user_version = 1;");
        foreach (var client in clients)
        {
            Run(
                connection,
                "INSERT INTO clients (client_id, status, version, created_at, metadata, origin, policy) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                client.ClientId,
                (long)client.Status,
                client.Version,
                client.CreatedAt.ToUnixTimeMilliseconds(),
                JsonSerializer.Serialize(client.Metadata),
                client.Origin is null ? DBNull.Value : JsonSerializer.Serialize(client.Origin),
                client.RegistrationPolicy is null ? DBNull.Value : JsonSerializer.Serialize(client.RegistrationPolicy));
        }
    }

    private static void Run(SqliteConnection connection, string sql, params object[] values)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters.AddWithValue($"${i + 1}", values[i]);
        }
        command.ExecuteNonQuery();
    }

    private async Task<Node> StartedAsync()
    {
        _node = _store.Open();
        await _node.Lifecycle.InitializeAsync(Cancellation);
        return _node;
    }

    private static Client Simple(string clientId, ClientStatus status, ClientOrigin? origin) => new()
    {
        ClientId = clientId,
        Status = status,
        Version = 3,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000),
        Metadata = new ClientMetadata { ClientName = "before" },
        Origin = origin,
        RegistrationPolicy = origin is null ? new RegistrationPolicy { MaxLiveClients = 2 } : null,
    };

    private static ClientOrigin Origin(string onboardingClient) =>
        new() { OnboardingClient = onboardingClient, Kid = "k1", Thumbprint = $"thumbprint of {onboardingClient}", InitialTokenJti = $"jti of {onboardingClient}" };

    [Fact]
    public async Task Clients_of_the_first_version_are_counted_and_found_by_their_origin()
    {
        WriteFirstVersion(
            Simple("directory", ClientStatus.Active, origin: null),
            Simple("active", ClientStatus.Active, Origin("directory")),
            Simple("suspended", ClientStatus.Suspended, Origin("directory")),
            Simple("revoked", ClientStatus.Revoked, Origin("directory")),
            Simple("other", ClientStatus.Revoked, Origin("mobile")));

        var node = await StartedAsync();

        var registrations = node.Get<IRegistrationStore>();
        Assert.Equal(2, await registrations.CountLiveAsync("directory", Cancellation));
        Assert.Equal(0, await registrations.CountLiveAsync("mobile", Cancellation));
        var use = new InitialAccessTokenUse("jti", 1, _store.Time.GetUtcNow().AddMinutes(5));
        Assert.IsType<RegisterClientOutcome.TooManyLiveClients>(await registrations.TryOutAsync(use, new RegistrationLimits("directory", 2, null), Cancellation));
        Assert.IsType<RegisterClientOutcome.Registered>(await registrations.TryOutAsync(use, new RegistrationLimits("directory", 3, 1), Cancellation));

        async Task<IEnumerable<string>> IdsAsync(ClientFilter filter) => (await node.Clients.ListAsync(filter, null, 10, Cancellation)).Select(client => client.ClientId);
        Assert.Equal(["suspended", "revoked", "active"], await IdsAsync(new ClientFilter { Origin = new OriginFilter { OnboardingClient = "directory" } }));
        Assert.Equal(["other"], await IdsAsync(new ClientFilter { Origin = new OriginFilter { InitialTokenJti = "jti of mobile" } }));
        Assert.Equal(["other"], await IdsAsync(new ClientFilter { Origin = new OriginFilter { Thumbprint = "thumbprint of mobile", Kid = "k1" } }));
        Assert.Equal(["directory"], await IdsAsync(new ClientFilter { OnboardingOnly = true }));

        var stored = (await node.Clients.FindAsync("active", Cancellation))!;
        Assert.Equal(JsonSerializer.Serialize(Simple("active", ClientStatus.Active, Origin("directory"))), JsonSerializer.Serialize(stored));
        await node.Clients.DeleteAsync("active", 3, Samples.Record(_store.Time.GetUtcNow(), "active"), Grounds.Server, Cancellation);
        Assert.Equal(1, await registrations.CountLiveAsync("directory", Cancellation));
    }

    [Fact]
    [Requirement("P-AUDIENCE")]
    public async Task Clients_that_used_the_token_endpoint_as_audience_go_on_for_90_days_where_an_administrator_said_so_and_are_listed()
    {
        WriteFirstVersion(
            Simple("allowed", ClientStatus.Active, Origin("directory")),
            Simple("seen", ClientStatus.Active, Origin("directory")),
            Simple("strict", ClientStatus.Active, Origin("directory")),
            Simple("unused", ClientStatus.Active, Origin("directory")));
        using (var connection = new SqliteConnection($"Data Source={_store.DatabasePath};Pooling=False"))
        {
            connection.Open();
            Run(connection, "UPDATE clients SET audience_seen = 2, audience_rule = 0 WHERE client_id = 'allowed'");
            Run(connection, "UPDATE clients SET audience_seen = 1 WHERE client_id = 'seen'");
            Run(connection, "UPDATE clients SET audience_seen = 2, audience_rule = 1 WHERE client_id = 'strict'");
        }

        var node = await StartedAsync();

        var listed = await node.Clients.ListAsync(new ClientFilter { AssertionException = true }, null, 10, Cancellation);
        Assert.Equal(["seen", "allowed"], listed.Select(client => client.ClientId));
        Assert.Equal((null, Simple("seen", ClientStatus.Active, null).CreatedAt), (listed[0].AssertionException, listed[0].ExceptionNeededAt));
        Assert.Equal((ExceptedAudience.OwnEndpoints, null), (listed[1].AssertionException!.Audience!.Value, listed[1].AssertionException!.MaxLifetimeSeconds));
        Assert.Equal(90, (listed[1].AssertionException!.Until - DateTimeOffset.UtcNow).TotalDays, tolerance: 0.1);
        var record = Assert.Single(await node.Audit.ListAsync("allowed", null, 10, Cancellation));
        Assert.Equal("client.assertion_exception_set", record.Action);
        Assert.Contains("own_endpoints", record.Changes["assertion_exception"].After, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Processes_that_start_at_once_migrate_once()
    {
        WriteFirstVersion(Simple("active", ClientStatus.Active, Origin("directory")));
        await using var other = _store.Open();
        await Task.WhenAll(StartedAsync(), other.Lifecycle.InitializeAsync(Cancellation));
        Assert.Equal(1, await other.Get<IRegistrationStore>().CountLiveAsync("directory", Cancellation));
        await other.Lifecycle.InitializeAsync(Cancellation);
        Assert.Equal(1, await _node!.Get<IRegistrationStore>().CountLiveAsync("directory", Cancellation));
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_left_alone()
    {
        WriteFirstVersion();
        using (var connection = new SqliteConnection($"Data Source={_store.DatabasePath};Pooling=False"))
        {
            connection.Open();
            Run(connection, $"PRAGMA user_version = {SqliteSchema.Main.Count + 1}");
        }
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(StartedAsync);
        Assert.Contains("newer version", refusal.Message, StringComparison.Ordinal);
    }
}
