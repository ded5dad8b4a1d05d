namespace Dcr.Storage.Sqlite;

/// <summary>The settings under <c>Dcr:Storage:Sqlite</c>.</summary>
public sealed class SqliteStorageOptions
{
    public const string Section = "Dcr:Storage:Sqlite";

    /// <summary>
    /// The database file; used assertions are in a second file beside it. Default <c>data/dcr.db</c>, from where the server is started.
    /// </summary>
    public string Path { get; set; } = "data/dcr.db";
}
