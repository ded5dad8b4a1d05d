using Dcr.Protocol;
using Microsoft.Extensions.Options;

namespace Dcr.Server.Storage.Sqlite;

/// <summary>
/// The embedded store: the main file, whose writes survive loss of power, and beside it the file of used assertions,
/// whose loss would cost safety for ten minutes at most (decision 0002).
/// </summary>
internal sealed class SqliteStorage(IOptions<SqliteStorageOptions> options) : IStoreLifecycle, IAsyncDisposable
{
    // Below 3.51.3 a WAL can be corrupted when two processes reset it at once: https://sqlite.org/wal.html#walresetbug
    private static readonly Version s_oldest = new(3, 51, 3);

    public SqliteDatabase Main { get; } = new(options.Value.Path, SqliteDurability.PowerLoss);

    public SqliteDatabase Replay { get; } = new(System.IO.Path.ChangeExtension(options.Value.Path, ".replay.db"), SqliteDurability.ProcessExit);

    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        CreateForOwnerOnly(Main.Path);
        CreateForOwnerOnly(Replay.Path);
        RefuseOldEngine(await Main.WriteAsync(session => session.Read(row => row.GetString(0), "SELECT sqlite_version()").Single(), cancellationToken));
        await SqliteSchema.MigrateAsync(Main, SqliteSchema.Main, cancellationToken);
        await SqliteSchema.MigrateAsync(Replay, SqliteSchema.Replay, cancellationToken);
    }

    public Task PingAsync(CancellationToken cancellationToken)
    {
        Main.Read(session => session.Read(row => row.GetInt64(0), "SELECT 1 FROM sqlite_schema LIMIT 1"));
        Replay.Read(session => session.Read(row => row.GetInt64(0), "SELECT 1 FROM sqlite_schema LIMIT 1"));
        return Task.CompletedTask;
    }

    // Moved on when records are forgotten, so it lags behind while nobody registers, and while the server does not run.
    public Task<StoreClock?> ReadClockAsync(CancellationToken cancellationToken) => Task.FromResult(
        Main.Read(session => session.Read(row => DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0)), "SELECT now FROM store_clock")) is [var now]
            ? new StoreClock(now, TimeSpan.FromDays(1), IsExact: false)
            : null);

    public async ValueTask DisposeAsync()
    {
        await Main.DisposeAsync();
        await Replay.DisposeAsync();
    }

    // SQLite gives its -wal and -shm files the mode of the database.
    private static void CreateForOwnerOnly(string path)
    {
        if (File.Exists(path))
        {
            return;
        }
        try
        {
            var folder = System.IO.Path.GetDirectoryName(path)!;
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder);
                return;
            }
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.Open(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }).Dispose();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException($"The database file {path} cannot be made.", exception);
        }
    }

    private static void RefuseOldEngine(string version)
    {
        if (Version.Parse(version) < s_oldest)
        {
            throw new InvalidOperationException($"SQLite {version} is too old: {s_oldest} or newer is needed.");
        }
    }
}
