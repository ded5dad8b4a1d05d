using Dcr.Storage.MongoDb;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>What a start asks of the server and of the database, and what it does not let itself be stopped by.</summary>
public sealed class MongoDbSchemaTests(MongoDbUnderTestStore store) : StoreContract(store), IClassFixture<MongoDbUnderTestStore>
{
    private MongoDbStorage Storage => One.Get<MongoDbStorage>();

    [Fact]
    public async Task An_index_with_other_options_does_not_stop_the_start_and_expiry_is_set_right()
    {
        // A database as somebody else left it.
        var options = new MongoDbStorageOptions { ConnectionString = await MongoDbUnderTest.ConnectionStringAsync(), Database = MongoDbUnderTest.NewDatabaseName() };
        using var storage = new MongoDbStorage(Options.Create(options));
        try
        {
            await storage.UsedAssertions.Indexes.CreateOneAsync(
                new CreateIndexModel<BsonDocument>(new BsonDocument("expires_at", 1), new CreateIndexOptions { ExpireAfter = TimeSpan.FromSeconds(5) }), options: null, Cancellation);
            await storage.Clients.Indexes.CreateOneAsync(new CreateIndexModel<BsonDocument>(new BsonDocument("release", 1)), options: null, Cancellation);
            using var indexes = new MongoDbIndexes(storage, Store.Time, NullLogger<MongoDbIndexes>.Instance);

            await new MongoDbSchema(storage, indexes, Store.Time, NullLogger<MongoDbSchema>.Instance).InitializeAsync(Cancellation);

            var expiring = await (await storage.UsedAssertions.Indexes.ListAsync(Cancellation)).ToListAsync(Cancellation);
            Assert.Equal(3600, Assert.Single(expiring, index => index.Contains("expireAfterSeconds"))["expireAfterSeconds"].ToInt32());
            // The others are there all the same.
            var ofClients = await (await storage.Clients.Indexes.ListAsync(Cancellation)).ToListAsync(Cancellation);
            Assert.Contains(ofClients, index => index["key"].AsBsonDocument == new BsonDocument("outbox_since", 1));
        }
        finally
        {
            await MongoDbUnderTest.DropAsync(options.Database);
        }
    }

    [Fact]
    public async Task A_database_of_a_newer_version_is_left_alone()
    {
        var version = Builders<BsonDocument>.Filter.Eq("_id", "dcr");
        Assert.Equal(MongoDbSchema.Version, (await Storage.Schema.Find(version).SingleAsync(Cancellation))["version"].ToInt32());
        await Storage.Schema.UpdateOneAsync(version, Builders<BsonDocument>.Update.Set("version", MongoDbSchema.Version + 1), cancellationToken: Cancellation);
        try
        {
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Other.Lifecycle.InitializeAsync(Cancellation));
            Assert.Contains("newer version", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            await Storage.Schema.UpdateOneAsync(version, Builders<BsonDocument>.Update.Set("version", MongoDbSchema.Version), cancellationToken: Cancellation);
        }
    }
}

/// <summary>The same, of servers that are not at hand.</summary>
public sealed class MongoDbStartTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("7.0.0", true)]
    [InlineData("made up", true)]
    [InlineData("8.0.4", false)]
    [InlineData("8.3.0-rc1", false)]
    public async Task Warns_of_a_server_that_is_older_than_the_lowest_supported(string version, bool warns)
    {
        var log = new Lines();
        await using var server = new MongoDbStubServer(command => Answer(command, version));
        using var storage = StorageOf(server);
        using var indexes = new MongoDbIndexes(storage, TimeProvider.System, NullLogger<MongoDbIndexes>.Instance);

        await new MongoDbSchema(storage, indexes, TimeProvider.System, log).InitializeAsync(Cancellation);

        Assert.Equal(warns, log.Written.Any(line => line.Contains("8.0", StringComparison.Ordinal) && line.Contains(version, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Does_not_wait_for_the_build_of_an_index_that_takes_long()
    {
        await using var server = new MongoDbStubServer(command => command.GetElement(0).Name == "createIndexes" ? null : Answer(command, "8.0.4"));
        using var storage = StorageOf(server);
        var time = new FakeTimeProvider();
        using var indexes = new MongoDbIndexes(storage, time, NullLogger<MongoDbIndexes>.Instance);

        var starting = new MongoDbSchema(storage, indexes, time, NullLogger<MongoDbSchema>.Instance).InitializeAsync(Cancellation);
        for (var i = 0; i < 600 && !starting.IsCompleted; i++)
        {
            await Task.Delay(100, Cancellation);
            time.Advance(TimeSpan.FromSeconds(1));
        }
        await starting.WaitAsync(TimeSpan.FromSeconds(1), Cancellation);
    }

    private static BsonDocument Answer(BsonDocument command, string version) => command.GetElement(0).Name switch
    {
        "buildInfo" => new BsonDocument { { "ok", 1 }, { "version", version } },
        "find" => new BsonDocument { { "ok", 1 }, { "cursor", new BsonDocument { { "id", 0L }, { "ns", "dcr.x" }, { "firstBatch", new BsonArray() } } } },
        _ => new BsonDocument { { "ok", 1 }, { "n", 1 }, { "nModified", 1 } },
    };

    private static MongoDbStorage StorageOf(MongoDbStubServer server) => new(Options.Create(new MongoDbStorageOptions { ConnectionString = server.ConnectionString }));

    private sealed class Lines : ILogger<MongoDbSchema>
    {
        public List<string> Written { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Written.Add(formatter(state, exception));
    }
}
