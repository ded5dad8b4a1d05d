using Dcr.Keys;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

internal sealed class MongoDbSigningKeyStore(MongoDbStorage storage) : ISigningKeyStore
{
    public async Task<IReadOnlyList<StoredSigningKey>> ListAsync(CancellationToken cancellationToken)
    {
        var found = storage.SigningKeys.Find(FilterDefinition<BsonDocument>.Empty).Sort(Builders<BsonDocument>.Sort.Ascending("_id"));
        return [.. (await MongoDbFault.GuardAsync(found.ToListAsync(cancellationToken))).Select(Read)];
    }

    public async Task<AddSigningKeyOutcome> AddAsync(StoredSigningKey key, CancellationToken cancellationToken)
    {
        var document = new BsonDocument("_id", key.Generation)
        {
            { "kid", key.Kid },
            { "alg", key.Alg },
            { "protected_private_key", new BsonBinaryData(key.ProtectedPrivateKey.ToArray()) },
            { "created_at", key.CreatedAt.ToUnixTimeMilliseconds() },
        };
        try
        {
            await MongoDbFault.GuardAsync(storage.SigningKeys.InsertOneAsync(document, options: null, cancellationToken));
            return AddSigningKeyOutcome.Added;
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            return AddSigningKeyOutcome.AlreadyThere;
        }
    }

    private static StoredSigningKey Read(BsonDocument document) => new(
        document["_id"].AsInt32,
        document["kid"].AsString,
        document["alg"].AsString,
        document["protected_private_key"].AsByteArray,
        DateTimeOffset.FromUnixTimeMilliseconds(document["created_at"].AsInt64));
}
