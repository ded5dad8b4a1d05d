using InMemoryStore;
using Microsoft.Extensions.DependencyInjection;

namespace Dcr.StorageTests;

/// <summary>The sample store: both nodes, and each that comes after them, have one database object.</summary>
public sealed class InMemoryUnderTest : StoreUnderTest
{
    private readonly InMemoryDatabase _database = new();

    protected override void Configure(IServiceCollection services) => new DcrBuilder(services).UseInMemoryStore(_database);

    protected override Task DropAsync() => Task.CompletedTask;
}
