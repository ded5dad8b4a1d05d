using Dcr.Storage.MongoDb;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.StorageTests;

/// <summary>A database of its own on the MongoDB of the tests.</summary>
public sealed class MongoDbUnderTestStore : StoreUnderTest
{
    private readonly string _database = MongoDbUnderTest.NewDatabaseName();
    private string? _connectionString;

    public override string? SkipReason => MongoDbUnderTest.SkipReason;

    protected override async Task PrepareAsync() => _connectionString = await MongoDbUnderTest.ConnectionStringAsync();

    protected override void Configure(IServiceCollection services)
    {
        new DcrBuilder(services).UseMongoDb();
        services.Configure<MongoDbStorageOptions>(options =>
        {
            options.ConnectionString = _connectionString!;
            options.Database = _database;
        });
    }

    protected override Task DropAsync() => MongoDbUnderTest.DropAsync(_database);
}
