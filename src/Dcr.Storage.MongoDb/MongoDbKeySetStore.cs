using System.Text.Json;
using Dcr.Auditing;
using Dcr.Keys;
using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// As with clients, a change and its record are one write to one document; changed so rarely that the record is moved on at once.
/// </summary>
internal sealed class MongoDbKeySetStore(MongoDbStorage storage, MongoDbEffects effects, MongoDbOutbox outbox) : IKeySetStore
{
    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    public async Task<HostedKeySet?> FindAsync(string id, CancellationToken cancellationToken) =>
        await MongoDbFault.GuardAsync(() => storage.KeySets.Find(Existing(id)).SingleOrDefaultAsync(cancellationToken)) is { } document
            ? Read(document)
            : null;

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

    public async Task<AddKeySetOutcome> AddAsync(HostedKeySet set, AuditRecord record, Grounds grounds, CancellationToken cancellationToken)
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
        switch (await effects.InsertAsync(storage.KeySets, document, grounds, cancellationToken))
        {
            case EffectOutcome.Done:
                await MongoDbFault.GuardAsync(() => outbox.MoveSubjectAsync(set.Id, CancellationToken.None));
                return AddKeySetOutcome.Added;
            case EffectOutcome.GroundsChanged:
                return AddKeySetOutcome.GroundsChanged;
            default:
                throw new InvalidOperationException("A new key set has the id of another: 128 random bits do not repeat.");
        }
    }

    public Task<ReplaceOutcome> ReplaceAsync(
        HostedKeySet replacement, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        ChangeAsync(
        replacement.Id, replacement.Version - 1, Set.Set(
            "version", replacement.Version).Set("keys", Keys(replacement)), record, grounds, cancellationToken);

    public async Task<ReplaceOutcome> DeleteAsync(
        string id, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken)
    {
        var tombstone = Set.Set("status", MongoDbClientDocument.Tombstone).Set("version", version + 1).Unset("keys");
        return await ChangeAsync(id, version, tombstone, record, grounds, cancellationToken);
    }

    private static FilterDefinition<BsonDocument> Existing(string id) => Where.Eq("_id", id) & Where.Gte("status", 0);

    private async Task<ReplaceOutcome> ChangeAsync(
        string id,
        long version,
        UpdateDefinition<BsonDocument> change,
        AuditRecord record,
        Grounds grounds,
        CancellationToken cancellationToken)
    {
        switch (
            await effects.UpdateAsync(
                storage.KeySets,
                Existing(id) & Where.Eq("version", version),
                MongoDbClientChange.Recorded(change, record),
                grounds,
                cancellationToken))
        {
            case EffectOutcome.Done:
                await MongoDbFault.GuardAsync(() => outbox.MoveSubjectAsync(id, CancellationToken.None));
                return ReplaceOutcome.Done;
            case EffectOutcome.GroundsChanged:
                return ReplaceOutcome.GroundsChanged;
            default:
                return await FindAsync(id, cancellationToken) is null ? ReplaceOutcome.Gone : ReplaceOutcome.VersionConflict;
        }
    }

    private static string Keys(HostedKeySet set) => JsonSerializer.Serialize(set.Keys, KeysJson.Default.IReadOnlyListHostedKey);

    private static HostedKeySet Read(BsonDocument document) => new()
    {
        Id = document["_id"].AsString,
        Version = document["version"].AsInt64,
        CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(document["created_at"].AsInt64),
        Keys = JsonSerializer.Deserialize(document["keys"].AsString, KeysJson.Default.IReadOnlyListHostedKey)!,
    };
}
