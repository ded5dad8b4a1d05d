using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Dcr.Storage.Sqlite;

namespace Dcr.Benchmarks;

/// <summary>What acknowledged writes cost with each kind of durability, and what grouping them brings.</summary>
internal static class Durability
{
    private static readonly TimeSpan s_each = TimeSpan.FromSeconds(2);

    public static async Task RunAsync()
    {
        foreach (var durability in Enum.GetValues<SqliteDurability>())
        {
            foreach (var callers in new[] { 1, 16, 64 })
            {
                var folder = Directory.CreateTempSubdirectory("dcr-durability-").FullName;
                await File.Create(Path.Combine(folder, "test.db")).DisposeAsync();
                await using (var database = new SqliteDatabase(Path.Combine(folder, "test.db"), durability))
                {
                    await SqliteSchema.MigrateAsync(database, SqliteSchema.Replay, default);
                    var rate = await MeasureAsync(database, callers);
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{durability}, {callers} callers: {rate:0} writes/s"));
                }
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static async Task<double> MeasureAsync(SqliteDatabase database, int callers)
    {
        var done = 0;
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(async () =>
        {
            while (clock.Elapsed < s_each)
            {
                var hash = RandomNumberGenerator.GetBytes(32);
                await database.WriteAsync(session => session.Change("INSERT INTO used_assertions (hash, expires_at) VALUES ($1, $2)", hash, 1L), default);
                Interlocked.Increment(ref done);
            }
        })));
        return done / clock.Elapsed.TotalSeconds;
    }
}
