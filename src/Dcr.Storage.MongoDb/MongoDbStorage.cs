using Microsoft.Extensions.Options;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// The collections; <see cref="MongoDbSchema"/> has their indexes. Writes wait for the journal of a majority; reads go to the
/// primary and see what a majority has: every write that was acknowledged, so that a status changed on one node is seen
/// by the next call on any other, and nothing that a change of primary could take back (decision 0003).
/// </summary>
internal sealed class MongoDbStorage : IDisposable
{
    private const string DefaultApplicationName = "dcr";

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan s_majorityPatience = TimeSpan.FromSeconds(3);

    // The longest that one operation takes, its wait for a majority included. What fails it ends the request with 503.
    private static readonly TimeSpan s_socketPatience = TimeSpan.FromSeconds(5);

    // How soon a server that was away is found again.
    private static readonly TimeSpan s_heartbeat = TimeSpan.FromSeconds(2);

    private readonly MongoClient _client;
    private readonly MongoClient _patientClient;
    private readonly IMongoDatabase _database;

    public MongoDbStorage(IOptions<MongoDbStorageOptions> options)
    {
        var settings = MongoClientSettings.FromConnectionString(options.Value.ConnectionString);
        // A server that is away must be known as away while the caller still waits.
        settings.ServerSelectionTimeout = s_patience;
        settings.ConnectTimeout = s_patience;
        settings.WaitQueueTimeout = s_patience;
        settings.SocketTimeout = s_socketPatience;
        settings.HeartbeatInterval = s_heartbeat;
        settings.ApplicationName ??= DefaultApplicationName;
        settings.WriteConcern = WriteConcern.WMajority.With(wTimeout: s_majorityPatience, journal: true);
        settings.ReadConcern = ReadConcern.Majority;
        settings.ReadPreference = ReadPreference.Primary;
        // A write rests on what was read before it. The driver would repeat the write alone, on a primary that knows better.
        settings.RetryWrites = false;
        settings.MaxAdaptiveRetries = 0;
        settings.RetryReads = true;
        var absence = new MongoDbAbsence(s_patience);
        settings.ClusterConfigurator = cluster =>
        {
            cluster.ConfigureCluster(selection => selection.With(preServerSelector: absence));
            options.Value.ConfigureCluster?.Invoke(cluster);
        };
        _client = new MongoClient(settings);
        var patient = settings.Clone();
        patient.SocketTimeout = TimeSpan.Zero;
        _patientClient = new MongoClient(patient);
        _database = _client.GetDatabase(options.Value.Database);
        Clients = _database.GetCollection<BsonDocument>("clients");
        LatestClients = Clients.WithReadConcern(ReadConcern.Local);
        InitialAccessTokens = _database.GetCollection<BsonDocument>("initial_access_tokens");
        RegistrationCounts = _database.GetCollection<BsonDocument>("registration_counts");
        RegistrationAnswers = _database.GetCollection<BsonDocument>("registration_answers");
        ClientOperations = _database.GetCollection<BsonDocument>("client_operations");
        StatusLists = _database.GetCollection<BsonDocument>("status_lists");
        StatusPages = _database.GetCollection<BsonDocument>("status_pages");
        StatusCounters = _database.GetCollection<BsonDocument>("status_counters");
        RevokedTokens = _database.GetCollection<BsonDocument>("revoked_tokens").WithReadConcern(ReadConcern.Local);
        Leases = _database.GetCollection<BsonDocument>("leases");
        SeededClients = _database.GetCollection<BsonDocument>("seeded_clients");
        UsedAssertions = _database.GetCollection<BsonDocument>("used_assertions");
        SigningKeys = _database.GetCollection<BsonDocument>("signing_keys");
        KeySets = _database.GetCollection<BsonDocument>("key_sets");
        QuarantinedKeys = _database.GetCollection<BsonDocument>("quarantined_keys");
        KeyUses = _database.GetCollection<BsonDocument>("key_uses");
        Audit = _database.GetCollection<BsonDocument>("audit");
        Schema = _database.GetCollection<BsonDocument>("schema");
    }

    public IMongoCollection<BsonDocument> Clients { get; }

    /// <summary>
    /// The same clients, for decisions on access: all that the primary holds, so that one that has just been elected misses
    /// nothing that was acknowledged by the one before it (decision 0003).
    /// </summary>
    public IMongoCollection<BsonDocument> LatestClients { get; }

    public IMongoCollection<BsonDocument> InitialAccessTokens { get; }

    public IMongoCollection<BsonDocument> RegistrationCounts { get; }

    public IMongoCollection<BsonDocument> RegistrationAnswers { get; }

    public IMongoCollection<BsonDocument> ClientOperations { get; }

    public IMongoCollection<BsonDocument> Leases { get; }

    public IMongoCollection<BsonDocument> SeededClients { get; }

    public IMongoCollection<BsonDocument> StatusLists { get; }

    public IMongoCollection<BsonDocument> StatusPages { get; }

    public IMongoCollection<BsonDocument> StatusCounters { get; }

    public IMongoCollection<BsonDocument> RevokedTokens { get; }

    public IMongoCollection<BsonDocument> UsedAssertions { get; }

    public IMongoCollection<BsonDocument> SigningKeys { get; }

    public IMongoCollection<BsonDocument> KeySets { get; }

    public IMongoCollection<BsonDocument> QuarantinedKeys { get; }

    public IMongoCollection<BsonDocument> KeyUses { get; }

    public IMongoCollection<BsonDocument> Audit { get; }

    /// <summary>The number of the format that the database is written in, in one document.</summary>
    public IMongoCollection<BsonDocument> Schema { get; }

    public Task PingAsync(CancellationToken cancellationToken) => RunAsync(new BsonDocument("ping", 1), cancellationToken);

    public Task<BsonDocument> RunAsync(BsonDocument command, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => _database.RunCommandAsync<BsonDocument>(command, cancellationToken: cancellationToken));

    /// <summary>What time it is for the database, which forgets by it. Null: it does not say.</summary>
    public async Task<DateTimeOffset?> ReadTimeAsync(CancellationToken cancellationToken) =>
        (await RunAsync(new BsonDocument("hello", 1), cancellationToken)).GetValue("localTime", BsonNull.Value) is BsonDateTime now
            ? now.ToUniversalTime()
            : null;

    /// <summary>For tests: nothing of the database is left.</summary>
    internal Task DropAsync(CancellationToken cancellationToken) =>
        _client.DropDatabaseAsync(_database.DatabaseNamespace.DatabaseName, cancellationToken);

    public void Dispose()
    {
        _client.Dispose();
        _patientClient.Dispose();
    }

    /// <summary>The same collection for what may take long, such as the build of an index: the server says when it ends.</summary>
    public IMongoCollection<BsonDocument> Patiently(IMongoCollection<BsonDocument> collection) =>
        _patientClient.GetDatabase(_database.DatabaseNamespace.DatabaseName).GetCollection<BsonDocument>(
            collection.CollectionNamespace.CollectionName);

    internal static CreateIndexModel<BsonDocument> Ascending(params string[] fields) =>
        new(new BsonDocument(fields.Select(field => new BsonElement(field, 1))));
}
