using Dcr.Auditing;
using Dcr.Keys;
using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// As with clients, a change and its record are one write to one document; one that is released is a tombstone until its record has been
/// moved.
/// </summary>
internal sealed class MongoDbQuarantinedKeyStore(MongoDbStorage storage, MongoDbEffects effects, MongoDbOutbox outbox)
    : IQuarantinedKeyStore
{
    private const int InQuarantine = 0;

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    public async Task<QuarantineOutcome> AddAsync(
        QuarantinedKey key, AuditRecord record, Grounds grounds, CancellationToken cancellationToken)
    {
        var document = new BsonDocument("_id", key.Thumbprint)
        {
            { "status", InQuarantine },
            { "version", 1L },
            { "reason", key.Reason },
            { "quarantined_at", key.QuarantinedAt.ToUnixTimeMilliseconds() },
            { "quarantined_by", key.QuarantinedBy },
            { "outbox", new BsonArray { MongoDbAuditDocument.Of(record) } },
            { "outbox_since", record.At.ToUnixTimeMilliseconds() },
        };
        var added = await effects.InsertAsync(storage.QuarantinedKeys, document, grounds, cancellationToken);
        if (added == EffectOutcome.Conflict)
        {
            // What is in the way may be the remains of one that was released.
            await MongoDbFault.GuardAsync(() => outbox.MoveSubjectAsync(key.Thumbprint, CancellationToken.None));
            added = await effects.InsertAsync(storage.QuarantinedKeys, document, grounds, CancellationToken.None);
        }
        if (added == EffectOutcome.Done)
        {
            await effects.VoidKeyAsync(key.Thumbprint);
        }
        return await ConcludeAsync(key.Thumbprint, added);
    }

    public async Task<QuarantineOutcome> RemoveAsync(
        string thumbprint, AuditRecord record, Grounds grounds, CancellationToken cancellationToken)
    {
        var change = Set.Set("status", MongoDbClientDocument.Tombstone).Inc("version", 1L);
        return await ConcludeAsync(
            thumbprint, await effects.UpdateAsync(
                storage.QuarantinedKeys, Existing(thumbprint), MongoDbClientChange.Recorded(change, record), grounds, cancellationToken));
    }

    private async Task<QuarantineOutcome> ConcludeAsync(string thumbprint, EffectOutcome outcome)
    {
        if (outcome == EffectOutcome.Done)
        {
            await MongoDbFault.GuardAsync(() => outbox.MoveSubjectAsync(thumbprint, CancellationToken.None));
        }
        return outcome switch
        {
            EffectOutcome.Done => QuarantineOutcome.Done,
            EffectOutcome.GroundsChanged => QuarantineOutcome.GroundsChanged,
            _ => QuarantineOutcome.AsItWas,
        };
    }

    public async Task<QuarantinedKey?> FindAsync(string thumbprint, CancellationToken cancellationToken) =>
        await MongoDbFault.GuardAsync(
            () => storage.QuarantinedKeys.Find(Existing(thumbprint)).SingleOrDefaultAsync(cancellationToken)) is { } document
            ? Read(document)
            : null;

    public async Task<IReadOnlyList<QuarantinedKey>> ListAsync(string? after, int limit, CancellationToken cancellationToken)
    {
        var where = Where.Eq("status", InQuarantine);
        if (after is not null)
        {
            where &= Where.Gt("_id", after);
        }
        var found = storage.QuarantinedKeys.Find(where).Sort(Builders<BsonDocument>.Sort.Ascending("_id")).Limit(limit);
        return [.. (await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken))).Select(Read)];
    }

    public async Task<IReadOnlyList<string>> FilterAsync(IReadOnlyCollection<string> thumbprints, CancellationToken cancellationToken) =>
        [
            .. (
                await MongoDbFault.GuardAsync(
                    () => Held(storage, thumbprints).ToListAsync(cancellationToken))).Select(document => document["_id"].AsString),
        ];

    /// <summary>Those of the thumbprints that are in quarantine, as the primary has it: it decides on access.</summary>
    public static IFindFluent<BsonDocument, BsonDocument> Held(MongoDbStorage storage, IEnumerable<string> thumbprints) =>
        storage.QuarantinedKeys.WithReadConcern(ReadConcern.Local)
        .Find(Where.In("_id", thumbprints) & Where.Eq("status", InQuarantine)).Project(Builders<BsonDocument>.Projection.Include("_id"));

    private static FilterDefinition<BsonDocument> Existing(string thumbprint) =>
        Where.Eq("_id", thumbprint) & Where.Eq("status", InQuarantine);

    private static QuarantinedKey Read(BsonDocument document) => new(
        document["_id"].AsString,
        document["reason"].AsString,
        DateTimeOffset.FromUnixTimeMilliseconds(document["quarantined_at"].AsInt64),
        document["quarantined_by"].AsString);
}
