using Dcr.Protocol;
using Dcr.Storage.Sqlite;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>What only the SQLite store promises.</summary>
public sealed class SqliteStorageTests(SqliteUnderTest store) : StoreContract(store), IClassFixture<SqliteUnderTest>
{
    [Theory]
    [InlineData("SELECT * FROM clients WHERE client_id = 'x'")]
    [InlineData("SELECT * FROM clients WHERE (created_at, client_id) < (1, 'x') ORDER BY created_at DESC, client_id DESC LIMIT 1")]
    [InlineData("SELECT * FROM clients WHERE status = 1 AND (created_at, client_id) < (1, 'x') ORDER BY created_at DESC, client_id DESC LIMIT 1")]
    [InlineData("SELECT * FROM clients WHERE (assertion_exception IS NOT NULL OR exception_needed_at IS NOT NULL) AND (created_at, client_id) < (1, 'x') ORDER BY created_at DESC, client_id DESC LIMIT 1")]
    [InlineData("SELECT * FROM audit WHERE id < 'x' ORDER BY id DESC LIMIT 1")]
    [InlineData("SELECT * FROM audit WHERE subject = 'x' AND id < 'x' ORDER BY id DESC LIMIT 1")]
    [InlineData("SELECT jti FROM initial_access_token_uses WHERE expires_at < 1 LIMIT 1")]
    public void Serves_every_query_by_an_index(string sql)
    {
        var plan = One.Get<SqliteStorage>().Main.Read(session => session.Read(row => row.GetString(3), "EXPLAIN QUERY PLAN " + sql));
        Assert.All(plan, step => Assert.StartsWith("SEARCH", step, StringComparison.Ordinal));
    }

    [Fact]
    public void Keeps_its_files_for_the_owner_only()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Unix file modes");
            return;
        }
        var path = One.Get<SqliteStorage>().Main.Path;
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(path)!))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        }
    }

    [Fact]
    public async Task One_write_that_fails_takes_no_other_with_it()
    {
        var database = One.Get<SqliteStorage>().Main;
        var writes = Enumerable.Range(0, 50).Select(i => database.WriteAsync(
            session =>
            {
                session.Change("INSERT INTO signing_keys (generation, kid, alg, protected_private_key, created_at, activates_at, revokes_up_to) VALUES ($1, 'k', 'a', x'00', 1, 1, 0)", i + 1000);
                return i % 2 == 0 ? i : throw new InvalidOperationException("this one fails");
            },
            Cancellation)).ToArray();
        for (var i = 0; i < writes.Length; i++)
        {
            if (i % 2 == 0)
            {
                Assert.Equal(i, await writes[i]);
            }
            else
            {
                await Assert.ThrowsAsync<InvalidOperationException>(() => writes[i]);
            }
        }
        var kept = (await One.SigningKeys.ListAsync(Cancellation)).Where(key => key.Generation >= 1000).Select(key => key.Generation - 1000);
        Assert.Equal(Enumerable.Range(0, 25).Select(i => i * 2), kept);
    }

    [Fact]
    [Requirement("P-AWAY")]
    public async Task Is_away_while_another_holds_the_lock_and_back_without_a_restart()
    {
        var database = One.Get<SqliteStorage>().Main;
        await using (var blocker = new SqliteConnection($"Data Source={database.Path};Pooling=False"))
        {
            await blocker.OpenAsync(Cancellation);
            await using var begin = blocker.CreateCommand();
            begin.CommandText = "BEGIN IMMEDIATE";
            await begin.ExecuteNonQueryAsync(Cancellation);
            var record = Samples.Record(Store.Time.GetUtcNow(), "subject");
            await Assert.ThrowsAsync<StoreUnavailableException>(() => One.Audit.AddAsync(record, Cancellation));
            Assert.Empty(await One.Audit.ListAsync("subject", null, 10, Cancellation));
        }
        await One.Audit.AddAsync(Samples.Record(Store.Time.GetUtcNow(), "subject"), Cancellation);
        Assert.Single(await One.Audit.ListAsync("subject", null, 10, Cancellation));
    }

    [Fact]
    public async Task Forgets_used_assertions_and_tokens_that_have_expired()
    {
        var storage = One.Get<SqliteStorage>();
        long Count(SqliteDatabase database, string table) => database.Read(session => session.Read(row => row.GetInt64(0), $"SELECT count(*) FROM {table}").Single());
        for (var i = 0; i < 20; i++)
        {
            await One.Replays.RecordAsync("client", Guid.NewGuid().ToString(), Store.Time.GetUtcNow().AddMinutes(1), Cancellation);
        }
        Store.Time.Advance(TimeSpan.FromMinutes(62));
        for (var i = 0; i < 10; i++)
        {
            await One.Replays.RecordAsync("client", Guid.NewGuid().ToString(), Store.Time.GetUtcNow().AddMinutes(1), Cancellation);
        }
        Assert.Equal(10, Count(storage.Replay, "used_assertions"));
    }
}
