using System.Diagnostics;
using System.Text.Json;
using Dcr.Auditing;
using Dcr.Bulk;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Storage.MongoDb;
using Dcr.Storage.Sqlite;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>Revokes what one key brought in, among many more clients.</summary>
public abstract class LargeOriginTests(StoreUnderTest store) : RegisteredClientsContract(store)
{
    protected const string OnboardingClient = "large";

    /// <summary>Every third client has the origin.</summary>
    protected abstract int Clients { get; }

    private static OriginFilter Stolen => new() { Thumbprint = Thumbprint(0) };

    protected static string Thumbprint(int i) => i % 3 == 0 ? "stolen" : "good";

    protected static string Id(int i) => $"client-{i:D6}";

    /// <summary>Ten clients a millisecond.</summary>
    protected DateTimeOffset CreatedAt(int i) => Now.AddMilliseconds((i - Clients) / 10);

    protected Client Numbered(int i) => new()
    {
        ClientId = Id(i),
        Status = ClientStatus.Active,
        CreatedAt = CreatedAt(i),
        Version = 1,
        Metadata = new ClientMetadata { ClientName = "many", Scope = "read" },
        Origin = new ClientOrigin { OnboardingClient = OnboardingClient, Kid = "k1", Thumbprint = Thumbprint(i), InitialTokenJti = $"jti-{i}" },
    };

    /// <summary>The clients, and that they are counted.</summary>
    protected abstract Task FillAsync();

    [Fact]
    public async Task Revokes_a_third_of_very_many_clients_in_batches_and_touches_no_other()
    {
        var began = Stopwatch.GetTimestamp();
        await FillAsync();
        Report($"{Clients} clients made", began);
        int[] sample = [.. Enumerable.Range(0, 300).Select(i => i * (Clients / 300))];
        var before = await TextsAsync(sample);

        var operations = One.Get<IClientOperationStore>();
        var operation = new ClientOperation
        {
            Id = Samples.Record(Now, "").Id,
            Origin = Stolen,
            Becomes = ClientStatus.Revoked,
            Actor = new AuditActor("admin", "kid"),
            StartedAt = Now,
        };
        began = Stopwatch.GetTimestamp();
        operation = operation with { Matched = await operations.CountAsync(operation, Cancellation) };
        Report($"{operation.Matched} counted", began);
        Assert.Equal(Clients / 3, operation.Matched);
        await operations.AddAsync(operation, record: null, Grounds.Server, Cancellation);

        began = Stopwatch.GetTimestamp();
        var longest = TimeSpan.Zero;
        while (!operation.Done)
        {
            var step = Stopwatch.GetTimestamp();
            operation = await operations.StepAsync(operation, 500, (clientId, _) => Samples.Record(Now, clientId), Cancellation);
            longest = Stopwatch.GetElapsedTime(step) > longest ? Stopwatch.GetElapsedTime(step) : longest;
        }
        Report($"{operation.Changed} revoked, the longest step {longest.TotalMilliseconds:F0} ms", began);

        Assert.Equal(Clients / 3, operation.Changed);
        Assert.Equal(0, await operations.CountAsync(operation, Cancellation));
        Assert.Equal(Clients - (Clients / 3), await Registrations(Other).CountLiveAsync(OnboardingClient, Cancellation));
        var after = await TextsAsync(sample);
        foreach (var (i, was, now) in sample.Zip(before, after))
        {
            var expected = Thumbprint(i) == "stolen" ? Text(Numbered(i) with { Status = ClientStatus.Revoked, Version = 2 }) : was;
            Assert.Equal(expected, now);
            Assert.Equal(Text(Numbered(i)), was);
        }
        Assert.Single(await Other.Audit.ListAsync(Id(0), null, 10, Cancellation));
        Assert.Empty(await Other.Audit.ListAsync(Id(1), null, 10, Cancellation));
    }

    private async Task<List<string>> TextsAsync(int[] sample)
    {
        var texts = new List<string>();
        foreach (var i in sample)
        {
            texts.Add(Text(await Other.Clients.FindAsync(Id(i), Cancellation)));
        }
        return texts;
    }

    private static void Report(string what, long began) =>
        TestContext.Current.TestOutputHelper!.WriteLine($"{what} in {Stopwatch.GetElapsedTime(began).TotalSeconds:F1} s");
}

public sealed class LargeOriginOnSqlite(SqliteUnderTest store) : LargeOriginTests(store), IClassFixture<SqliteUnderTest>
{
    protected override int Clients => 300_000;

    protected override Task FillAsync() => One.Get<SqliteStorage>().Main.WriteAsync(
        session =>
        {
            session.Change(
                """
                WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < $1)
                INSERT INTO clients (client_id, status, version, created_at, metadata, origin)
                SELECT printf('client-%06d', i), 0, 1, $2 + (i - $1) / 10, $3, json_set($4, '$.thumbprint', iif(i % 3 = 0, 'stolen', 'good'), '$.initial_token_jti', 'jti-' || i)
                FROM numbers
                """,
                Clients,
                Now.ToUnixTimeMilliseconds(),
                JsonSerializer.Serialize(Numbered(0).Metadata),
                JsonSerializer.Serialize(Numbered(0).Origin));
            return session.Change("INSERT INTO registration_counts (onboarding_client, live, hour_began_at, in_hour) VALUES ($1, $2, 0, 0)", OnboardingClient, Clients);
        },
        Cancellation);
}

/// <summary>A tenth of it unless DCR_TEST_FULL is 1: what stands in for MongoDB may be slow.</summary>
public sealed class LargeOriginOnMongoDb(MongoDbUnderTestStore store) : LargeOriginTests(store), IClassFixture<MongoDbUnderTestStore>
{
    protected override int Clients => Environment.GetEnvironmentVariable("DCR_TEST_FULL") == "1" ? 300_000 : 30_000;

    protected override async Task FillAsync()
    {
        foreach (var batch in Enumerable.Range(0, Clients).Chunk(2_000))
        {
            await One.Get<MongoDbStorage>().Clients.InsertManyAsync(batch.Select(Document), new InsertManyOptions { IsOrdered = false }, Cancellation);
        }
    }

    // Their registration was recorded and counted long ago; the count begins with them.
    private BsonDocument Document(int i)
    {
        var document = MongoDbClientDocument.Of(Numbered(i), Samples.Record(Now, Id(i)));
        document.Remove("outbox");
        document.Remove("outbox_since");
        return document;
    }
}
