using Dcr.Protocol;
using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

/// <summary>Tells a database that is away from a bug: the first is worth a retry, the second is not.</summary>
internal static class SqliteFault
{
    // https://sqlite.org/rescode.html: BUSY, LOCKED, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB.
    public static bool IsAway(Exception exception) =>
        exception is SqliteException { SqliteErrorCode: 5 or 6 or 8 or 10 or 11 or 13 or 14 or 15 or 26 };

    public static StoreUnavailableException ToAway(Exception exception) => new("The SQLite database cannot be used.", exception);
}
