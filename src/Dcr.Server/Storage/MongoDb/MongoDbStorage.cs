using Dcr.Protocol;
using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>
/// The collections, and the indexes each query is served by. Writes wait for the journal of a majority; reads go to the
/// primary and see what a majority has: every write that was acknowledged, so that a status changed on one node is seen
/// by the next call on any other, and nothing that a change of primary could take back (decision 0003).
/// </summary>
internal sealed class MongoDbStorage : IStoreLifecycle, IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_majorityPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_socketPatience = TimeSpan.FromSeconds(10);

    // Documents expire by the server's clock: were it ahead, an assertion could be forgotten, and replayed, while it is
    // still accepted here. Late costs nothing but room.
    private static readonly TimeSpan s_keptAfterExpiry = TimeSpan.FromHours(1);

    private const int UpgradedAtOnce = 500;

    private readonly MongoClient _client;
    private readonly IMongoDatabase _database;

    public MongoDbStorage(IOptions<MongoDbStorageOptions> options)
    {
        var settings = MongoClientSettings.FromConnectionString(options.Value.ConnectionString);
        // A server that is away must be known as away while the caller still waits.
        settings.ServerSelectionTimeout = s_patience;
        settings.ConnectTimeout = s_patience;
        settings.WaitQueueTimeout = s_patience;
        settings.SocketTimeout = s_socketPatience;
        settings.WriteConcern = WriteConcern.WMajority.With(wTimeout: s_majorityPatience, journal: true);
        settings.ReadConcern = ReadConcern.Majority;
        settings.ReadPreference = ReadPreference.Primary;
        _client = new MongoClient(settings);
        _database = _client.GetDatabase(options.Value.Database);
        Clients = _database.GetCollection<BsonDocument>("clients");
        InitialAccessTokens = _database.GetCollection<BsonDocument>("initial_access_tokens");
        RegistrationCounts = _database.GetCollection<BsonDocument>("registration_counts");
        RegistrationAnswers = _database.GetCollection<BsonDocument>("registration_answers");
        ClientOperations = _database.GetCollection<BsonDocument>("client_operations");
        StatusLists = _database.GetCollection<BsonDocument>("status_lists");
        StatusPages = _database.GetCollection<BsonDocument>("status_pages");
        StatusCounters = _database.GetCollection<BsonDocument>("status_counters");
        RevokedTokens = _database.GetCollection<BsonDocument>("revoked_tokens");
        Leases = _database.GetCollection<BsonDocument>("leases");
        UsedAssertions = _database.GetCollection<BsonDocument>("used_assertions");
        SigningKeys = _database.GetCollection<BsonDocument>("signing_keys");
        KeySets = _database.GetCollection<BsonDocument>("key_sets");
        KeyUses = _database.GetCollection<BsonDocument>("key_uses");
        Audit = _database.GetCollection<BsonDocument>("audit");
    }

    public IMongoCollection<BsonDocument> Clients { get; }

    public IMongoCollection<BsonDocument> InitialAccessTokens { get; }

    public IMongoCollection<BsonDocument> RegistrationCounts { get; }

    public IMongoCollection<BsonDocument> RegistrationAnswers { get; }

    public IMongoCollection<BsonDocument> ClientOperations { get; }

    public IMongoCollection<BsonDocument> Leases { get; }

    public IMongoCollection<BsonDocument> StatusLists { get; }

    public IMongoCollection<BsonDocument> StatusPages { get; }

    public IMongoCollection<BsonDocument> StatusCounters { get; }

    public IMongoCollection<BsonDocument> RevokedTokens { get; }

    public IMongoCollection<BsonDocument> UsedAssertions { get; }

    public IMongoCollection<BsonDocument> SigningKeys { get; }

    public IMongoCollection<BsonDocument> KeySets { get; }

    public IMongoCollection<BsonDocument> KeyUses { get; }

    public IMongoCollection<BsonDocument> Audit { get; }

    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        await MakeAsync(
            Clients,
            [
                Ascending("created_at", "_id"),
                Ascending("status", "created_at", "_id"),
                Ascending("audience_seen", "created_at", "_id"),
                Ascending("onboards", "created_at", "_id"),
                Ascending("status", "review_at", "_id"),
                .. MongoDbClientDocument.OriginIndexes,
                new(new BsonDocument("release", 1), new CreateIndexOptions { Sparse = true }),
                new(new BsonDocument(MongoDbClientDocument.FenceUntil, 1), new CreateIndexOptions { ExpireAfter = TimeSpan.Zero }),
                new(new BsonDocument("outbox_since", 1), new CreateIndexOptions { Sparse = true }),
                Marks(),
            ],
            cancellationToken);
        await MakeAsync(Audit, [Ascending("subject", "_id")], cancellationToken);
        await MakeAsync(UsedAssertions, [Expiry()], cancellationToken);
        await MakeAsync(InitialAccessTokens, [Expiry()], cancellationToken);
        await MakeAsync(RegistrationAnswers, [Expiry()], cancellationToken);
        await MakeAsync(RevokedTokens, [Expiry()], cancellationToken);
        await MakeAsync(StatusPages, [Ascending("list", "page")], cancellationToken);
        await MakeAsync(RegistrationCounts, [Ascending("reserved.at")], cancellationToken);
        await MakeAsync(ClientOperations, [Ascending("done", "_id"), Marks()], cancellationToken);
        await MakeAsync(SigningKeys, [Marks()], cancellationToken);
        await MakeAsync(KeySets, [new(new BsonDocument("outbox_since", 1), new CreateIndexOptions { Sparse = true }), Marks()], cancellationToken);
        await MakeAsync(
            KeyUses,
            [Ascending("client_id"), new(new BsonDocument("last_used_at", 1), new CreateIndexOptions { ExpireAfter = TimeSpan.FromDays(400) })],
            cancellationToken);
        await UpgradeAsync(cancellationToken);
    }

    /// <summary>What a client came from, and whether it onboards, have members of their own since they are listed by; clients of before get them here.</summary>
    private async Task UpgradeAsync(CancellationToken cancellationToken)
    {
        while (await MongoDbFault.GuardAsync(() => Clients.Find(MongoDbClientDocument.ToUpgrade).Limit(UpgradedAtOnce).ToListAsync(cancellationToken)) is { Count: > 0 } clients)
        {
            await MongoDbFault.GuardAsync(() => Clients.BulkWriteAsync(clients.Select(MongoDbClientDocument.Upgrade), new BulkWriteOptions { IsOrdered = false }, cancellationToken));
        }
    }

    public Task PingAsync(CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => _database.RunCommandAsync<BsonDocument>(new BsonDocument("ping", 1), cancellationToken: cancellationToken));

    /// <summary>For tests: nothing of the database is left.</summary>
    internal Task DropAsync(CancellationToken cancellationToken) => _client.DropDatabaseAsync(_database.DatabaseNamespace.DatabaseName, cancellationToken);

    public void Dispose() => _client.Dispose();

    private static Task MakeAsync(IMongoCollection<BsonDocument> collection, CreateIndexModel<BsonDocument>[] indexes, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => collection.Indexes.CreateManyAsync(indexes, cancellationToken));

    internal static CreateIndexModel<BsonDocument> Ascending(params string[] fields) => new(new BsonDocument(fields.Select(field => new BsonElement(field, 1))));

    // Empty but for effects that are being made at this moment.
    private static CreateIndexModel<BsonDocument> Marks() => new(new BsonDocument(MongoDbEffects.RestsOn, 1), new CreateIndexOptions { Sparse = true });

    // The server removes what has expired some time later; nothing relies on when.
    private static CreateIndexModel<BsonDocument> Expiry() =>
        new(new BsonDocument("expires_at", 1), new CreateIndexOptions { ExpireAfter = s_keptAfterExpiry });
}
