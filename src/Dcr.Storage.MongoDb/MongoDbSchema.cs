using Dcr.Protocol;
using Microsoft.Extensions.Logging;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>What the database must be like before the first request: the version of the server and of the format, the indexes.</summary>
internal sealed partial class MongoDbSchema(
    MongoDbStorage storage, MongoDbIndexes indexes, TimeProvider time, ILogger<MongoDbSchema> logger)
    : IStoreLifecycle
{
    /// <summary>
    /// The format that this version of Dcr writes. One more whenever an older Dcr could not work with what a newer one wrote.
    /// </summary>
    public const int Version = 2;

    private const string VersionId = "dcr";
    private const int UpgradedAtOnce = 500;

    // Codes of the server.
    private const int IndexNotFound = 27;
    private const int CommandNotFound = 59;

    /// <summary>
    /// The lowest version of MongoDB that is supported. Before it a primary that has just been elected can miss acknowledged writes
    /// (decision 0003).
    /// </summary>
    private static readonly Version s_lowestServer = new(8, 0);

    private bool _serverIsKnown;

    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        await CheckServerAsync(cancellationToken);
        await CheckVersionAsync(cancellationToken);
        await indexes.MakeAsync(cancellationToken);
        await UpgradeAsync(cancellationToken);
        await MongoDbFault.GuardAsync(() => storage.Schema.UpdateOneAsync(
            new BsonDocument("_id", VersionId),
            Builders<BsonDocument>.Update.Max("version", Version),
            new UpdateOptions { IsUpsert = true },
            cancellationToken));
    }

    public Task PingAsync(CancellationToken cancellationToken) => storage.PingAsync(cancellationToken);

    public async Task<StoreClock?> ReadClockAsync(CancellationToken cancellationToken) =>
        await storage.ReadTimeAsync(cancellationToken) is { } now ? new StoreClock(now, TimeSpan.FromMinutes(1), IsExact: true) : null;

    // A warning, not an end: servers that are compatible with MongoDB have numbers of their own.
    private async Task CheckServerAsync(CancellationToken cancellationToken)
    {
        var info = await storage.RunAsync(new BsonDocument("buildInfo", 1), cancellationToken);
        if (_serverIsKnown)
        {
            return;
        }
        _serverIsKnown = true;
        var text = info.GetValue("version", "").ToString()!;
        if (!System.Version.TryParse(text.Split('-')[0], out var version) || version < s_lowestServer)
        {
            LogOldServer(text, s_lowestServer);
        }
    }

    private async Task CheckVersionAsync(CancellationToken cancellationToken)
    {
        var found = await MongoDbFault.GuardAsync(
            () => storage.Schema.Find(new BsonDocument("_id", VersionId)).FirstOrDefaultAsync(cancellationToken));
        if (found?["version"].ToInt32() is { } version and > Version)
        {
            throw new InvalidOperationException(
                $"The MongoDB database was written by a newer version of this server (schema {version}, this one knows {Version}).");
        }
    }

    /// <summary>
    /// What a client came from, whether it onboards and whether it administers have members of their own since they are found by;
    /// clients of before get them here, and what became of the rule for audiences.
    /// </summary>
    private async Task UpgradeAsync(CancellationToken cancellationToken)
    {
        await DropIndexAsync(storage.Clients, "audience_seen_1_created_at_1__id_1", cancellationToken);
        await UpgradeAsync(
            MongoDbClientDocument.ToUpgrade, client => MongoDbClientDocument.Upgrade(client, time.GetUtcNow()), cancellationToken);
        await UpgradeAsync(MongoDbClientDocument.ToMarkAsAdministrators, MongoDbClientDocument.MarkAsAdministrator, cancellationToken);
    }

    private async Task UpgradeAsync(
        FilterDefinition<BsonDocument> which, Func<BsonDocument, WriteModel<BsonDocument>> upgrade, CancellationToken cancellationToken)
    {
        var inAnyOrder = new BulkWriteOptions { IsOrdered = false };
        var some = storage.Clients.Find(which).Limit(UpgradedAtOnce);
        while (await MongoDbFault.GuardAsync(() => some.ToListAsync(cancellationToken)) is { Count: > 0 } clients)
        {
            await MongoDbFault.GuardAsync(() => storage.Clients.BulkWriteAsync(clients.Select(upgrade), inAnyOrder, cancellationToken));
        }
    }

    /// <summary>Of an earlier version, if it is there. It costs room and does no harm.</summary>
    private static async Task DropIndexAsync(IMongoCollection<BsonDocument> collection, string name, CancellationToken cancellationToken)
    {
        try
        {
            await MongoDbFault.GuardAsync(() => collection.Indexes.DropOneAsync(name, cancellationToken));
        }
        catch (MongoCommandException exception) when (exception.Code is IndexNotFound or CommandNotFound)
        {
            // Another node was faster, or the store is newer than that version; or its engine, which is not MongoDB's own, drops none.
        }
    }

    [LoggerMessage(EventId = 3108, Level = LogLevel.Warning, Message =
        "MongoDB says that it has version {Version}; {Lowest} is the lowest that is supported. After a change of primary an older one may "
            + "not show at once what was acknowledged")]
    private partial void LogOldServer(string version, Version lowest);
}
