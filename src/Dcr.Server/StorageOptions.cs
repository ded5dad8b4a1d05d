using Dcr.Protocol;
using Dcr.Storage.Sqlite;
using Microsoft.Extensions.Options;

namespace Dcr.Server;

/// <summary>The settings under <c>Dcr:Storage</c>.</summary>
public sealed class StorageOptions
{
    public const string Section = "Dcr:Storage";

    public StorageProvider Provider { get; set; } = StorageProvider.Sqlite;
}

public enum StorageProvider
{
    /// <summary>Embedded; one file, nothing to install; one machine.</summary>
    Sqlite,

    /// <summary>For more than one node.</summary>
    MongoDb,
}

/// <summary>The settings under <c>Dcr:DataProtection</c>.</summary>
public sealed class KeyRingOptions
{
    public const string Section = "Dcr:DataProtection";

    /// <summary>
    /// The folder of the key ring that encrypts the signing keys; the same for all nodes. Null: <c>keys</c> in the data folder.
    /// </summary>
    public string? KeyRingPath { get; set; }

    /// <summary>A file whose text protects the keys of the ring where they lie; the same for all nodes. Null: they lie in clear.</summary>
    public string? PassphraseFile { get; set; }
}

/// <summary>Where files go that have no setting: beside the SQLite database, or <c>data</c>.</summary>
internal static class DataFolder
{
    public static string Of(StorageOptions storage, SqliteStorageOptions sqlite) =>
        storage.Provider == StorageProvider.Sqlite ? Path.GetDirectoryName(Path.GetFullPath(sqlite.Path))! : Path.GetFullPath("data");
}

internal sealed class AdminKeyFileDefault(IOptions<StorageOptions> storage, IOptions<SqliteStorageOptions> sqlite)
    : IPostConfigureOptions<DcrOptions>
{
    public void PostConfigure(string? name, DcrOptions options) =>
        options.AdminKeyFile ??= Path.Combine(DataFolder.Of(storage.Value, sqlite.Value), "admin.jwk");
}
