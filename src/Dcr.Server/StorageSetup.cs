using Dcr.Protocol;
using Dcr.Server.KeyRing;
using Dcr.Storage.MongoDb;
using Dcr.Storage.Sqlite;
using Microsoft.Extensions.Options;

namespace Dcr.Server;

internal static class StorageSetup
{
    /// <summary>The store named by <c>Dcr:Storage:Provider</c>, and the key ring that encrypts what is secret in it.</summary>
    public static void UseConfiguredStore(this DcrBuilder dcr, IConfiguration configuration)
    {
        var services = dcr.Services;
        services.AddSettings<StorageOptions>(StorageOptions.Section);
        services.AddSingleton<IPostConfigureOptions<DcrOptions>, AdminKeyFileDefault>();

        // Both, whichever is used: the folder of the SQLite database is the default folder of the other files.
        services.AddSettings<SqliteStorageOptions>(SqliteStorageOptions.Section);
        services.AddSettings<MongoDbStorageOptions>(MongoDbStorageOptions.Section);
        var storage = configuration.GetSection(StorageOptions.Section).Get<StorageOptions>() ?? new StorageOptions();
        switch (storage.Provider)
        {
            case StorageProvider.Sqlite:
                dcr.UseSqlite();
                break;
            case StorageProvider.MongoDb:
                dcr.UseMongoDb();
                break;
            default:
                throw new InvalidOperationException($"Dcr:Storage:Provider is {storage.Provider}: it must be Sqlite or MongoDb.");
        }

        services.AddKeyRing();
    }
}
