using Dcr.Auditing;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>A listing has the records that have been moved and those that still wait, so that it is complete at any moment.</summary>
internal sealed class MongoDbAuditStore(MongoDbStorage storage, MongoDbOutbox outbox) : IAuditStore
{
    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    public Task AddAsync(AuditRecord record, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => storage.Audit.InsertOneAsync(MongoDbAuditDocument.Of(record), options: null, cancellationToken));

    public async Task<IReadOnlyList<AuditRecord>> ListAsync(string? subject, string? before, int limit, CancellationToken cancellationToken)
    {
        // In this order: what is moved after it was read here is found there.
        var waiting = await MongoDbFault.GuardAsync(() => outbox.ListAsync(subject, before, limit, cancellationToken));
        var where = subject is null ? Where.Empty : Where.Eq("subject", subject);
        if (before is not null)
        {
            where &= Where.Lt("_id", before);
        }
        var found = storage.Audit.Find(where).Sort(Builders<BsonDocument>.Sort.Descending("_id")).Limit(limit);
        var moved = await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken));
        return
        [
            .. waiting.Concat(moved)
                .DistinctBy(record => record["_id"])
                .OrderByDescending(record => record["_id"].AsString, StringComparer.Ordinal)
                .Take(limit)
                .Select(MongoDbAuditDocument.Read),
        ];
    }
}
