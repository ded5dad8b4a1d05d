using Dcr.Auditing;
using Dcr.Protocol;
using Dcr.SigningKeys;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>The record of a key is in its document until it has been moved to the audit collection, as with clients.</summary>
internal sealed class MongoDbSigningKeyStore(MongoDbStorage storage, MongoDbEffects effects, MongoDbOutbox outbox) : ISigningKeyStore
{
    public async Task<IReadOnlyList<StoredSigningKey>> ListAsync(CancellationToken cancellationToken)
    {
        var found = storage.SigningKeys.Find(
            Builders<BsonDocument>.Filter.Gte("status", 0)).Sort(Builders<BsonDocument>.Sort.Ascending("_id"));
        return [.. (await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken))).Select(Read)];
    }

    public async Task<AddSigningKeyOutcome> AddAsync(
        StoredSigningKey key, AuditRecord record, Grounds grounds, CancellationToken cancellationToken)
    {
        var document = new BsonDocument("_id", key.Generation)
        {
            { "kid", key.Kid },
            { "alg", key.Alg },
            { "protected_private_key", new BsonBinaryData(key.ProtectedPrivateKey.ToArray()) },
            { "created_at", key.CreatedAt.ToUnixTimeMilliseconds() },
            { "activates_at", key.ActivatesAt.ToUnixTimeMilliseconds() },
            { "revokes_up_to", key.RevokesUpTo },
            { "status", 0 },
            { "version", 1L },
            { "outbox", new BsonArray { MongoDbAuditDocument.Of(record) } },
            { "outbox_since", record.At.ToUnixTimeMilliseconds() },
        };
        switch (await effects.InsertAsync(storage.SigningKeys, document, grounds, cancellationToken))
        {
            case EffectOutcome.Done:
                await MongoDbFault.GuardAsync(() => outbox.MoveSubjectAsync(key.Kid, CancellationToken.None));
                return AddSigningKeyOutcome.Added;
            case EffectOutcome.GroundsChanged:
                return AddSigningKeyOutcome.GroundsChanged;
            default:
                return AddSigningKeyOutcome.AlreadyThere;
        }
    }

    public async Task RemoveAsync(int generation, CancellationToken cancellationToken)
    {
        var where = Builders<BsonDocument>.Filter.Eq("_id", generation);
        var found = await MongoDbFault.GuardAsync(() => storage.SigningKeys.Find(where).SingleOrDefaultAsync(cancellationToken));
        if (found is not null)
        {
            // Its record first: it would be gone with it.
            await MongoDbFault.GuardAsync(() => outbox.MoveSubjectAsync(found["kid"].AsString, cancellationToken));
            await MongoDbFault.GuardAsync(
                () => storage.SigningKeys.DeleteOneAsync(where & Builders<BsonDocument>.Filter.Exists("outbox", false), cancellationToken));
        }
    }

    private static StoredSigningKey Read(BsonDocument document) => new(
        document["_id"].AsInt32,
        document["kid"].AsString,
        document["alg"].AsString,
        document["protected_private_key"].AsByteArray,
        DateTimeOffset.FromUnixTimeMilliseconds(document["created_at"].AsInt64),
        DateTimeOffset.FromUnixTimeMilliseconds(document["activates_at"].AsInt64),
        document["revokes_up_to"].AsInt32);
}
