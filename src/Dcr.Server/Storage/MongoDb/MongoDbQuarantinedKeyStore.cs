using Dcr.Auditing;
using Dcr.Keys;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>As with clients, a change and its record are one write to one document; one that is released is a tombstone until its record has been moved.</summary>
internal sealed class MongoDbQuarantinedKeyStore(MongoDbStorage storage, MongoDbOutbox outbox) : IQuarantinedKeyStore
{
    private const int Held = 0;

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    public async Task<bool> AddAsync(QuarantinedKey key, AuditRecord record, CancellationToken cancellationToken)
    {
        var change = Set.Set("status", Held).Set("reason", key.Reason).Set("quarantined_at", key.QuarantinedAt.ToUnixTimeMilliseconds()).Set("quarantined_by", key.QuarantinedBy);
        try
        {
            await MongoDbFault.GuardAsync(() => storage.QuarantinedKeys.UpdateOneAsync(
                Where.Eq("_id", key.Thumbprint) & Where.Ne("status", Held), Recorded(change, record), new UpdateOptions { IsUpsert = true }, cancellationToken));
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            return false;
        }
        await MongoDbFault.GuardAsync(() => outbox.MoveSubjectAsync(key.Thumbprint, cancellationToken));
        return true;
    }

    public async Task<bool> RemoveAsync(string thumbprint, AuditRecord record, CancellationToken cancellationToken)
    {
        var removed = await MongoDbFault.GuardAsync(() => storage.QuarantinedKeys.UpdateOneAsync(
            Existing(thumbprint), Recorded(Set.Set("status", MongoDbClientDocument.Tombstone), record), cancellationToken: cancellationToken));
        if (removed.MatchedCount == 1)
        {
            await MongoDbFault.GuardAsync(() => outbox.MoveSubjectAsync(thumbprint, cancellationToken));
        }
        return removed.MatchedCount == 1;
    }

    public async Task<QuarantinedKey?> FindAsync(string thumbprint, CancellationToken cancellationToken) =>
        await MongoDbFault.GuardAsync(() => storage.QuarantinedKeys.Find(Existing(thumbprint)).SingleOrDefaultAsync(cancellationToken)) is { } document ? Read(document) : null;

    public async Task<IReadOnlyList<QuarantinedKey>> ListAsync(string? after, int limit, CancellationToken cancellationToken)
    {
        var where = Where.Eq("status", Held);
        if (after is not null)
        {
            where &= Where.Gt("_id", after);
        }
        var found = storage.QuarantinedKeys.Find(where).Sort(Builders<BsonDocument>.Sort.Ascending("_id")).Limit(limit);
        return [.. (await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken))).Select(Read)];
    }

    public async Task<IReadOnlyList<string>> FilterAsync(IReadOnlyCollection<string> thumbprints, CancellationToken cancellationToken)
    {
        var held = storage.QuarantinedKeys.WithReadConcern(ReadConcern.Local).Find(Where.In("_id", thumbprints) & Where.Eq("status", Held)).Project(Builders<BsonDocument>.Projection.Include("_id"));
        return [.. (await MongoDbFault.GuardAsync(() => held.ToListAsync(cancellationToken))).Select(document => document["_id"].AsString)];
    }

    private static FilterDefinition<BsonDocument> Existing(string thumbprint) => Where.Eq("_id", thumbprint) & Where.Eq("status", Held);

    private static UpdateDefinition<BsonDocument> Recorded(UpdateDefinition<BsonDocument> change, AuditRecord record) =>
        MongoDbClientChange.Recorded(change.Inc("version", 1L), record);

    private static QuarantinedKey Read(BsonDocument document) => new(
        document["_id"].AsString,
        document["reason"].AsString,
        DateTimeOffset.FromUnixTimeMilliseconds(document["quarantined_at"].AsInt64),
        document["quarantined_by"].AsString);
}
