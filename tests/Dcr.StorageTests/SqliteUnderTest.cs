using Dcr.Storage.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.StorageTests;

/// <summary>A database file in a folder of its own.</summary>
public sealed class SqliteUnderTest : StoreUnderTest
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("dcr-storage-").FullName;

    public string DatabasePath => Path.Combine(Folder, "data", "dcr.db");

    protected override void Configure(IServiceCollection services)
    {
        new DcrBuilder(services).UseSqlite();
        services.Configure<SqliteStorageOptions>(options => options.Path = DatabasePath);
    }

    protected override Task DropAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return Task.CompletedTask;
    }
}
