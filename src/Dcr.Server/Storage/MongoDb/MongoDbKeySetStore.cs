using System.Text.Json;
using Dcr.Auditing;
using Dcr.Keys;
using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>As with clients, a change and its record are one write to one document; changed so rarely that the record is moved on at once.</summary>
internal sealed class MongoDbKeySetStore(MongoDbStorage storage, MongoDbOutbox outbox) : IKeySetStore
{
    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    public async Task<HostedKeySet?> FindAsync(string id, CancellationToken cancellationToken) =>
        await MongoDbFault.GuardAsync(() => storage.KeySets.Find(Existing(id)).SingleOrDefaultAsync(cancellationToken)) is { } document ? Read(document) : null;

    public async Task<IReadOnlyList<HostedKeySet>> ListAsync(string? before, int limit, CancellationToken cancellationToken)
    {
        var where = Where.Gte("status", 0);
        if (before is not null)
        {
            where &= Where.Lt("_id", before);
        }
        var found = storage.KeySets.Find(where).Sort(Builders<BsonDocument>.Sort.Descending("_id")).Limit(limit);
        return [.. (await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken))).Select(Read)];
    }

    public async Task AddAsync(HostedKeySet set, AuditRecord record, CancellationToken cancellationToken)
    {
        var document = new BsonDocument("_id", set.Id)
        {
            { "status", 0 },
            { "version", set.Version },
            { "created_at", set.CreatedAt.ToUnixTimeMilliseconds() },
            { "keys", Keys(set) },
            { "outbox", new BsonArray { MongoDbAuditDocument.Of(record) } },
            { "outbox_since", record.At.ToUnixTimeMilliseconds() },
        };
        await MongoDbFault.GuardAsync(() => storage.KeySets.InsertOneAsync(document, options: null, cancellationToken));
        await MongoDbFault.GuardAsync(() => outbox.MoveSubjectAsync(set.Id, cancellationToken));
    }

    public Task<ReplaceOutcome> ReplaceAsync(HostedKeySet replacement, AuditRecord record, CancellationToken cancellationToken) => ChangeAsync(
        replacement.Id, replacement.Version - 1, Set.Set("version", replacement.Version).Set("keys", Keys(replacement)), record, cancellationToken);

    public async Task<ReplaceOutcome> DeleteAsync(string id, long version, AuditRecord record, CancellationToken cancellationToken)
    {
        var tombstone = Set.Set("status", MongoDbClientDocument.Tombstone).Set("version", version + 1).Unset("keys");
        return await ChangeAsync(id, version, tombstone, record, cancellationToken);
    }

    private static FilterDefinition<BsonDocument> Existing(string id) => Where.Eq("_id", id) & Where.Gte("status", 0);

    private async Task<ReplaceOutcome> ChangeAsync(
        string id, long version, UpdateDefinition<BsonDocument> change, AuditRecord record, CancellationToken cancellationToken)
    {
        var changed = await MongoDbFault.GuardAsync(() => storage.KeySets.UpdateOneAsync(
            Existing(id) & Where.Eq("version", version),
            Set.Combine(change, Set.Push("outbox", MongoDbAuditDocument.Of(record)), Set.Max("outbox_since", record.At.ToUnixTimeMilliseconds())),
            cancellationToken: cancellationToken));
        if (changed.MatchedCount == 1)
        {
            await MongoDbFault.GuardAsync(() => outbox.MoveSubjectAsync(id, cancellationToken));
            return ReplaceOutcome.Done;
        }
        return await FindAsync(id, cancellationToken) is null ? ReplaceOutcome.Gone : ReplaceOutcome.VersionConflict;
    }

    private static string Keys(HostedKeySet set) => JsonSerializer.Serialize(set.Keys, DcrJson.Default.IReadOnlyListHostedKey);

    private static HostedKeySet Read(BsonDocument document) => new()
    {
        Id = document["_id"].AsString,
        Version = document["version"].AsInt64,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(document["created_at"].AsInt64),
        Keys = JsonSerializer.Deserialize(document["keys"].AsString, DcrJson.Default.IReadOnlyListHostedKey)!,
    };
}
