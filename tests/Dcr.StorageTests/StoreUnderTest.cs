using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Proofs;
using Dcr.Protocol;
using Dcr.SigningKeys;
using Dcr.Storage.MongoDb;
using Dcr.Storage.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>The stores as one node has them.</summary>
public sealed class Node(ServiceProvider services) : IAsyncDisposable
{
    private int _disposed;

    public IClientStore Clients => services.GetRequiredService<IClientStore>();

    public IUsedJtiStore Replays => services.GetRequiredService<IUsedJtiStore>();

    public ISigningKeyStore SigningKeys => services.GetRequiredService<ISigningKeyStore>();

    public IAuditStore Audit => services.GetRequiredService<IAuditStore>();

    public IStoreLifecycle Lifecycle => services.GetRequiredService<IStoreLifecycle>();

    public T Get<T>()
        where T : notnull => services.GetRequiredService<T>();

    /// <summary>Starts what works in the background. Until then the node is like one that was killed right after its last write.</summary>
    public Task StartBackgroundAsync() => Task.WhenAll(services.GetServices<IHostedService>().Select(service => service.StartAsync(default)));

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }
        foreach (var service in services.GetServices<IHostedService>())
        {
            await service.StopAsync(default);
        }
        await services.DisposeAsync();
    }
}

/// <summary>One database, and two nodes on it.</summary>
public abstract class StoreUnderTest : IAsyncLifetime
{
    private readonly List<Node> _nodes = [];

    public virtual string? SkipReason => null;

    public TestClock Time { get; } = new(DateTimeOffset.FromUnixTimeMilliseconds(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()));

    public Node One => _nodes[0];

    public Node Other => _nodes[1];

    public async ValueTask InitializeAsync()
    {
        if (SkipReason is not null)
        {
            return;
        }
        await PrepareAsync();
        _nodes.AddRange([Open(), Open()]);
        // Both at once, as nodes start.
        await Task.WhenAll(_nodes.Select(node => node.Lifecycle.InitializeAsync(default)));
    }

    /// <param name="gate">Stops the node where a test likes, in a store that sends commands. Null: nothing stops it.</param>
    public Node Open(CommandGate? gate = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.None));
        services.AddSingleton<TimeProvider>(Time);
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder().Build());
        Configure(services);
        if (gate is not null)
        {
            services.Configure<MongoDbStorageOptions>(options => options.ConfigureCluster = gate.Configure);
        }
        return new Node(services.BuildServiceProvider());
    }

    /// <summary>Stops both nodes; the store stays.</summary>
    public async Task DisposeNodesAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
        _nodes.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await DisposeNodesAsync();
        if (SkipReason is null)
        {
            await DropAsync();
        }
    }

    protected virtual Task PrepareAsync() => Task.CompletedTask;

    protected abstract void Configure(IServiceCollection services);

    protected abstract Task DropAsync();
}

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

/// <summary>A contract that every store keeps; skipped, with the reason, where a store is not to be had.</summary>
public abstract class StoreContract
{
    protected StoreContract(StoreUnderTest store)
    {
        Assert.SkipWhen(store.SkipReason is not null, store.SkipReason ?? "");
        Store = store;
    }

    protected StoreUnderTest Store { get; }

    protected Node One => Store.One;

    protected Node Other => Store.Other;

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Many calls at once, spread over both nodes.</summary>
    protected Task<T[]> RaceAsync<T>(int count, Func<Node, int, Task<T>> call) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => call(i % 2 == 0 ? One : Other, i), Cancellation)));
}
