using Dcr.Server.Storage.MongoDb;
using Dcr.Server.Storage.Sqlite;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Options;

namespace Dcr.Server.Storage;

internal static class StorageSetup
{
    /// <summary>The store named by <c>Dcr:Storage:Provider</c>, and the key ring that encrypts what is secret in it.</summary>
    public static void AddStorage(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSettings<StorageOptions>(StorageOptions.Section);
        services.AddSettings<KeyRingOptions>(KeyRingOptions.Section);
        services.AddSingleton<IPostConfigureOptions<DcrOptions>, AdminKeyFileDefault>();

        // Both, whichever is used: the folder of the SQLite database is the default folder of the other files.
        services.AddSettings<SqliteStorageOptions>(SqliteStorageOptions.Section);
        services.AddSettings<MongoDbStorageOptions>(MongoDbStorageOptions.Section);
        var storage = configuration.GetSection(StorageOptions.Section).Get<StorageOptions>() ?? new StorageOptions();
        switch (storage.Provider)
        {
            case StorageProvider.Sqlite:
                services.AddSqliteStorage();
                break;
            case StorageProvider.MongoDb:
                services.AddMongoDbStorage();
                break;
            default:
                throw new InvalidOperationException($"Dcr:Storage:Provider is {storage.Provider}: it must be Sqlite or MongoDb.");
        }

        services.AddDataProtection().SetApplicationName("Dcr");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>, KeyRing>();
    }
}

/// <summary>Keeps the key ring in a folder for the owner only, apart from the database that holds what it encrypts.</summary>
internal sealed class KeyRing(
    IOptions<KeyRingOptions> options, IOptions<StorageOptions> storage, IOptions<SqliteStorageOptions> sqlite, ILoggerFactory loggers)
    : IConfigureOptions<KeyManagementOptions>
{
    public void Configure(KeyManagementOptions management)
    {
        var path = options.Value.KeyRingPath ?? Path.Combine(DataFolder.Of(storage.Value, sqlite.Value), "keys");
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        management.XmlRepository = new FileSystemXmlRepository(new DirectoryInfo(path), loggers);
    }
}
