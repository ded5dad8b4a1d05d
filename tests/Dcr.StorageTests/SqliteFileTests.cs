using Dcr.Protocol;
using Dcr.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>What becomes of the store when something happens to its files.</summary>
public sealed class SqliteFileTests : IAsyncLifetime
{
    private readonly SqliteUnderTest _store = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private SqliteStorage Storage => _store.One.Get<SqliteStorage>();

    private string Path => _store.DatabasePath;

    private string ReplayPath => System.IO.Path.ChangeExtension(Path, ".replay.db");

    public ValueTask InitializeAsync() => _store.InitializeAsync();

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    private Task AddAsync() => _store.One.Audit.AddAsync(Samples.Record(_store.Time.GetUtcNow(), "subject"), Cancellation);

    private async Task AssertAwayAsync()
    {
        await Assert.ThrowsAsync<StoreUnavailableException>(AddAsync);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _store.One.Clients.FindAsync("x", Cancellation));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Storage.PingAsync(Cancellation));
    }

    private async Task AssertBackAsync()
    {
        // A connection that was opened in between may have to find out first, and is given up then.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            try
            {
                await AddAsync();
                break;
            }
            catch (StoreUnavailableException) when (attempt < 2)
            {
                // The next one is opened anew.
            }
        }
        _store.Time.Advance(TimeSpan.FromSeconds(6));
        await AddAsync();
        await Storage.PingAsync(Cancellation);
    }

    [Fact]
    [Requirement("P-FILE", "P-AWAY")]
    public async Task A_database_deleted_under_the_server_is_away_and_nobody_makes_an_empty_one()
    {
        await AddAsync();
        await Storage.PingAsync(Cancellation);
        var aside = Path + ".aside";
        File.Move(Path, aside);
        await AssertAwayAsync();
        // Whoever opens it anew: every reader that was kept is gone by now.
        await AssertAwayAsync();
        Assert.False(File.Exists(Path));

        File.Move(aside, Path);
        await AssertBackAsync();
    }

    [Fact]
    [Requirement("P-FILE", "P-AWAY")]
    public async Task Another_database_in_its_place_is_not_taken_for_it()
    {
        await AddAsync();
        File.Move(Path, Path + ".aside");
        await File.WriteAllBytesAsync(Path, [], Cancellation);
        await AssertAwayAsync();
        Assert.Equal(0, new FileInfo(Path).Length);

        await using (var other = new SqliteUnderTest())
        {
            await other.InitializeAsync();
            await using var copy = new SqliteConnection($"Data Source={other.DatabasePath};Pooling=False");
            await copy.OpenAsync(Cancellation);
            await using var command = copy.CreateCommand();
            command.CommandText = $"VACUUM INTO '{Path}'";
            await command.ExecuteNonQueryAsync(Cancellation);
        }
        await AssertAwayAsync();
    }

    [Fact]
    [Requirement("P-FILE")]
    public async Task A_start_without_the_database_does_not_come_up_empty()
    {
        await _store.DisposeNodesAsync();
        File.Delete(Path);
        await using var next = _store.Open();
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => next.Lifecycle.InitializeAsync(Cancellation));
        Assert.Contains($"{Path} is missing or empty", refusal.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path));

        // On purpose: both files are gone. And a backup needs no file of used assertions.
        File.Delete(ReplayPath);
        await next.Lifecycle.InitializeAsync(Cancellation);
        await next.DisposeAsync();
        File.Delete(ReplayPath);
        await using var restored = _store.Open();
        await restored.Lifecycle.InitializeAsync(Cancellation);
        await restored.Lifecycle.PingAsync(Cancellation);
    }

    [Fact]
    [Requirement("P-FILE")]
    public async Task Files_of_two_stores_are_not_taken_for_one()
    {
        await _store.DisposeNodesAsync();
        await using var other = new SqliteUnderTest();
        await other.InitializeAsync();
        await other.DisposeNodesAsync();
        File.Copy(other.DatabasePath, Path, overwrite: true);
        await using var next = _store.Open();
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => next.Lifecycle.InitializeAsync(Cancellation));
        Assert.Contains("mixed up", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-READY")]
    public async Task Is_not_healthy_while_writes_find_no_room_though_a_small_one_would()
    {
        await Storage.PingAsync(Cancellation);
        // The engine's own limit: what grows the file fails as on a full disk, what overwrites a row does not.
        await Storage.Main.WriteAsync(
            session =>
            {
                var pages = session.Read(row => row.GetInt64(0), "PRAGMA page_count").Single();
                session.Run($"PRAGMA max_page_count = {pages}");
                return true;
            },
            Cancellation);
        await Storage.PingAsync(Cancellation);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                await AddAsync();
            }
        });
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Storage.PingAsync(Cancellation));
        // The writer has opened the database anew, without the limit.
        await AssertBackAsync();
    }

    [Fact]
    public async Task A_connection_that_cannot_be_closed_does_not_end_the_writer()
    {
        var path = System.IO.Path.Combine(_store.Folder, "writer.db");
        await File.WriteAllBytesAsync(path, [], Cancellation);
        var closes = 0;
        await using var writer = new SqliteWriter(
            () => new SqliteSession($"Data Source={path};Pooling=False", "PRAGMA journal_mode = WAL;"),
            session =>
            {
                session.Dispose();
                if (++closes == 1)
                {
                    throw new InvalidOperationException("not closed");
                }
            },
            _store.Time);
        // 14 is CANTOPEN: the connection is given up.
        var first = writer.WriteAsync<bool>(_ => throw new SqliteException("away", 14), Cancellation);
        var fault = await Assert.ThrowsAsync<StoreUnavailableException>(() => first.WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
        Assert.Contains("not closed", fault.ToString(), StringComparison.Ordinal);
        Assert.Equal(1, await writer.WriteAsync(session => session.Read(row => row.GetInt32(0), "SELECT 1").Single(), Cancellation).WaitAsync(TimeSpan.FromSeconds(30), Cancellation));
    }
}
