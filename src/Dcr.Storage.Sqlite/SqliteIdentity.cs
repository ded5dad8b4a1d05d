using System.Security.Cryptography;
using Dcr.Protocol;

namespace Dcr.Storage.Sqlite;

/// <summary>
/// What a store is known by: a random id, written into both of its files at the first start. It tells a file that was lost, or put in
/// the place of another, from one that is new.
/// </summary>
internal static class SqliteIdentity
{
    /// <summary><c>checked</c> is what a look at the store's health writes.</summary>
    public const string Table =
        """
        CREATE TABLE store (
            id TEXT NOT NULL PRIMARY KEY,
            checked INTEGER NOT NULL
        ) STRICT;
        """;

    /// <summary>Null: the file is not there, or no start has got so far.</summary>
    public static string? Find(SqliteDatabase database)
    {
        return File.Exists(database.Path) ? database.Read(session => HasTable(session) ? Read(session) : null) : null;
    }

    /// <summary>Gives the file this identity, unless it has one.</summary>
    /// <returns>The one it has.</returns>
    public static Task<string> KeepAsync(SqliteDatabase database, string identity, CancellationToken cancellationToken) =>
        database.WriteAsync(
            session =>
            {
                session.Change("INSERT INTO store (id, checked) SELECT $1, 0 WHERE NOT EXISTS (SELECT 1 FROM store)", identity);
                return Read(session)!;
            },
            cancellationToken);

    public static string New() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>A connection that has just been opened must have found the store that this process serves.</summary>
    public static void Check(SqliteSession session, string expected, string path)
    {
        if (!HasTable(session) || Read(session) != expected)
        {
            throw new StoreUnavailableException($"The file {path} is not the database that this server was started with.");
        }
    }

    public static void RecordCheck(SqliteSession session) => session.Change("UPDATE store SET checked = checked + 1");

    private static string? Read(SqliteSession session) => session.Read(row => row.GetString(0), "SELECT id FROM store").SingleOrDefault();

    private static bool HasTable(SqliteSession session) =>
        session.Read(row => row.GetInt64(0), "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'store'").Count > 0;
}
