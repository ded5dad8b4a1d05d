using Dcr.Protocol;
using Dcr.Storage.MongoDb;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>What a server in trouble answers is an outage, worth another try; what a bug causes is not.</summary>
public sealed class MongoDbFaultTests
{
    private static readonly BsonDocument s_noMajority = new()
    {
        { "ok", 1 }, { "n", 1 }, { "nModified", 1 },
        { "writeConcernError", new BsonDocument { { "code", 64 }, { "errmsg", "waiting for replication timed out" } } },
    };

    private static readonly BsonDocument s_duplicateWithoutMajority = new()
    {
        { "ok", 1 }, { "n", 0 },
        { "writeErrors", new BsonArray { new BsonDocument { { "index", 0 }, { "code", 11000 }, { "errmsg", "duplicate key" } } } },
        { "writeConcernError", new BsonDocument { { "code", 64 }, { "errmsg", "waiting for replication timed out" } } },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_write_that_no_majority_confirmed_is_an_outage()
    {
        await using var server = new MongoDbStubServer(s_noMajority);
        using var storage = StorageOf(server);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => RecordAsync(storage));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => MongoDbFault.GuardAsync(
            () => storage.Clients.UpdateOneAsync(new BsonDocument("_id", "a"), new BsonDocument("$set", new BsonDocument("b", 1)), cancellationToken: Cancellation)));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => MongoDbFault.GuardAsync(
            () => storage.Audit.InsertManyAsync([new BsonDocument("_id", "a")], options: null, Cancellation)));
    }

    [Fact]
    public async Task A_duplicate_of_what_no_majority_confirmed_is_an_outage_too()
    {
        await using var server = new MongoDbStubServer(s_duplicateWithoutMajority);
        using var storage = StorageOf(server);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => RecordAsync(storage));
    }

    [Theory]
    [InlineData(133)] // FailedToSatisfyReadPreference: a router that finds no primary of a shard
    [InlineData(6)] // HostUnreachable
    [InlineData(11602)] // InterruptedDueToReplStateChange
    [InlineData(11601)] // Interrupted
    [InlineData(202)] // NetworkInterfaceExceededTimeLimit
    [InlineData(365)] // TemporarilyUnavailable
    [InlineData(43)] // CursorNotFound
    [InlineData(175)] // QueryPlanKilled
    public async Task What_a_router_reports_of_the_shard_behind_it_is_an_outage(int code)
    {
        await using var byCommand = new MongoDbStubServer(new BsonDocument { { "ok", 0 }, { "code", code }, { "errmsg", "no primary" } });
        using var storage = StorageOf(byCommand);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => RecordAsync(storage));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => storage.PingAsync(Cancellation));

        await using var byWrite = new MongoDbStubServer(new BsonDocument
        {
            { "ok", 1 }, { "n", 0 },
            { "writeErrors", new BsonArray { new BsonDocument { { "index", 0 }, { "code", code }, { "errmsg", "no primary" } } } },
        });
        using var written = StorageOf(byWrite);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => RecordAsync(written));
    }

    [Theory]
    [InlineData(112, "Write conflict during plan execution")]
    [InlineData(1, "deadlock detected")]
    public async Task A_write_that_loses_again_and_again_against_others_is_an_outage(int code, string message)
    {
        await using var server = new MongoDbStubServer(new BsonDocument
        {
            { "ok", 1 }, { "n", 0 },
            { "writeErrors", new BsonArray { new BsonDocument { { "index", 0 }, { "code", code }, { "errmsg", message } } } },
        });
        using var storage = StorageOf(server);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => RecordAsync(storage));
    }

    [Fact]
    public async Task What_is_no_outage_stays_what_it_is()
    {
        await using var server = new MongoDbStubServer(new BsonDocument { { "ok", 0 }, { "code", 13 }, { "errmsg", "not authorized" } });
        using var storage = StorageOf(server);

        await Assert.ThrowsAsync<MongoCommandException>(() => storage.PingAsync(Cancellation));
    }

    [Theory]
    [Requirement("P-AWAY")]
    [InlineData(11602, false)] // InterruptedDueToReplStateChange: it may have been written
    [InlineData(10107, true)] // NotWritablePrimary
    public async Task A_write_that_a_primary_gave_up_is_not_sent_to_the_next_by_itself(int code, bool nothingWritten)
    {
        var primary = 0;
        var inserts = new int[2];
        var servers = new MongoDbStubServer[2];
        servers[0] = Member(0);
        servers[1] = Member(1);
        await using var former = servers[0];
        await using var next = servers[1];
        // What a connection string asks for, and what the driver does by default.
        using var storage = StorageOf($"mongodb://{former.Address},{next.Address}/?replicaSet=rs&retryWrites=true");

        var away = await Assert.ThrowsAsync<StoreUnavailableException>(() => RecordAsync(storage));
        Assert.Equal(nothingWritten, away.NothingWritten);
        Assert.Equal([1, 0], inserts);

        // Asked again, of what the next primary holds.
        await RecordAsync(storage);
        Assert.Equal([1, 1], inserts);

        MongoDbStubServer Member(int i) => new(
            command =>
            {
                if (command.GetElement(0).Name != "insert")
                {
                    return new BsonDocument("ok", 1);
                }
                Interlocked.Increment(ref inserts[i]);
                Volatile.Write(ref primary, 1);
                return i == 0 ? new BsonDocument { { "ok", 0 }, { "code", code }, { "errmsg", "stepped down" } } : new BsonDocument { { "ok", 1 }, { "n", 1 } };
            },
            () => new BsonDocument
            {
                { "setName", "rs" }, { "setVersion", 1 }, { "hosts", new BsonArray(servers.Select(server => server.Address)) }, { "me", servers[i].Address },
                { "isWritablePrimary", Volatile.Read(ref primary) == i }, { "secondary", Volatile.Read(ref primary) != i }, { "logicalSessionTimeoutMinutes", 30 },
            });
    }

    [Fact]
    [Requirement("P-AWAY")]
    public async Task Only_the_first_waits_for_a_server_that_is_away()
    {
        var stub = new MongoDbStubServer(new BsonDocument("ok", 1));
        using var storage = StorageOf(stub.ConnectionString);
        await storage.PingAsync(Cancellation);
        await stub.DisposeAsync();

        var clock = System.Diagnostics.Stopwatch.StartNew();
        for (var i = 0; i < 40; i++)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => storage.PingAsync(Cancellation));
        }
        // Two minutes, did each wait.
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromMinutes(1));
    }

    private static Task RecordAsync(MongoDbStorage storage) =>
        new MongoDbUsedJtiStore(storage).RecordAsync("client", "jti", DateTimeOffset.UnixEpoch, Cancellation);

    private static MongoDbStorage StorageOf(MongoDbStubServer server) => StorageOf(server.ConnectionString);

    private static MongoDbStorage StorageOf(string connectionString) => new(Options.Create(new MongoDbStorageOptions { ConnectionString = connectionString }));
}
