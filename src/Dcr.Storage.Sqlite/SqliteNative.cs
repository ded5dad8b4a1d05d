using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

/// <summary>What the engine knows and its provider for .NET does not pass on.</summary>
internal static class SqliteNative
{
    private const int Ok = 0;

    // https://sqlite.org/c3ref/c_fcntl_begin_atomic_write.html#sqlitefcntlhasmoved: one stat(2), compared with the file that is open.
    private const int FileHasMoved = 20;

    /// <summary>False also where the platform cannot tell.</summary>
    public static bool HasMoved(SqliteConnection connection) =>
        connection.Handle is { } handle
        && sqlite3_file_control(handle.DangerousGetHandle(), 0, FileHasMoved, out var hasMoved) == Ok
        && hasMoved != 0;

    [DllImport("e_sqlite3", ExactSpelling = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory | DllImportSearchPath.SafeDirectories)]
    private static extern int sqlite3_file_control(nint connection, nint mainDatabase, int operation, out int result);
}
