using Dcr.Jose;
using Dcr.Protocol;
using Microsoft.Extensions.Options;

namespace Dcr.Storage.Sqlite;

/// <summary>
/// The embedded store: the main file, whose writes survive loss of power, and beside it the file of used assertions,
/// whose loss would cost safety for ten minutes at most (decision 0002).
/// </summary>
internal sealed class SqliteStorage(IOptions<SqliteStorageOptions> options, TimeProvider time) : IStoreLifecycle, IAsyncDisposable
{
    // Below 3.51.3 a WAL can be corrupted when two processes reset it at once: https://sqlite.org/wal.html#walresetbug
    private static readonly Version s_oldest = new(3, 51, 3);

    private readonly Lock _checking = new();
    private Task _check = Task.CompletedTask;

    public SqliteDatabase Main { get; } = new(options.Value.Path, SqliteDurability.PowerLoss, time);

    public SqliteDatabase Replay { get; } = new(
        System.IO.Path.ChangeExtension(options.Value.Path, ".replay.db"), SqliteDurability.ProcessExit, time);

    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        RefuseLostDatabase();
        CreateForOwnerOnly(Main.Path);
        CreateForOwnerOnly(Replay.Path);
        RefuseOldEngine(
            await Main.WriteAsync(session => session.Read(row => row.GetString(0), "SELECT sqlite_version()").Single(), cancellationToken));
        await SqliteSchema.MigrateAsync(Main, SqliteSchema.Main, cancellationToken);
        await SqliteSchema.MigrateAsync(Replay, SqliteSchema.Replay, cancellationToken);
        var identity = await SqliteIdentity.KeepAsync(Main, SqliteIdentity.New(), cancellationToken);
        RefuseStrangersReplay(identity, await SqliteIdentity.KeepAsync(Replay, identity, cancellationToken));
        Main.Expect(identity);
        Replay.Expect(identity);
    }

    /// <summary>Anybody may ask for it, so one look at a time serves all who come meanwhile.</summary>
    public Task PingAsync(CancellationToken cancellationToken)
    {
        lock (_checking)
        {
            if (_check.IsCompleted)
            {
                _check = CheckAsync();
            }
            return _check.WaitAsync(cancellationToken);
        }
    }

    // Moved on when records are forgotten, so it lags behind while nobody registers, and while the server does not run.
    public Task<StoreClock?> ReadClockAsync(CancellationToken cancellationToken) => Task.FromResult(
        Main.Read(
            session =>
                session.Read(row => DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(0)), "SELECT now FROM store_clock")) is [var now]
            ? new StoreClock(now, TimeSpan.FromDays(1), IsExact: false)
            : null);

    public async ValueTask DisposeAsync()
    {
        await Main.DisposeAsync();
        await Replay.DisposeAsync();
    }

    private async Task CheckAsync()
    {
        await Main.CheckAsync(CancellationToken.None);
        await Replay.CheckAsync(CancellationToken.None);
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
            OwnerOnlyFolder.Make(System.IO.Path.GetDirectoryName(path)!);
            if (OperatingSystem.IsWindows())
            {
                File.Open(path, FileMode.OpenOrCreate).Dispose();
                return;
            }
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

    /// <summary>A database that was lost must not come back as an empty one, with an administrator and keys of its own.</summary>
    private void RefuseLostDatabase()
    {
        // In this order: the main file gets its identity first, also by another process at this moment.
        if (SqliteIdentity.Find(Replay) is { } identity && SqliteIdentity.Find(Main) is null)
        {
            throw new InvalidOperationException(
                $"The database {Main.Path} is missing or empty, while {Replay.Path} belongs to the store {identity}. "
                + $"Put the database back, from a backup; or remove {Replay.Path} as well, to begin with an empty store.");
        }
    }

    private void RefuseStrangersReplay(string ofMain, string ofReplay)
    {
        if (ofMain != ofReplay)
        {
            throw new InvalidOperationException(
                $"{Main.Path} is the store {ofMain}, and {Replay.Path} belongs to the store {ofReplay}: the two were mixed up. "
                + "Put the right files together; the second can be removed when no server has run on the first for ten minutes.");
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
