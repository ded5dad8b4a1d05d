using Dcr.Auditing;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>A listing first moves the records it would miss, so that it is complete whatever has not been moved yet.</summary>
internal sealed class MongoDbAuditStore(MongoDbStorage storage, MongoDbOutbox outbox) : IAuditStore
{
    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    public Task AddAsync(AuditRecord record, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => storage.Audit.InsertOneAsync(MongoDbAuditDocument.Of(record), options: null, cancellationToken));

    public async Task<IReadOnlyList<AuditRecord>> ListAsync(string? subject, string? before, int limit, CancellationToken cancellationToken)
    {
        await MongoDbFault.GuardAsync(() => subject is null ? outbox.SweepAsync(cancellationToken) : outbox.MoveSubjectAsync(subject, cancellationToken));
        var where = subject is null ? Where.Empty : Where.Eq("subject", subject);
        if (before is not null)
        {
            where &= Where.Lt("_id", before);
        }
        var found = storage.Audit.Find(where).Sort(Builders<BsonDocument>.Sort.Descending("_id")).Limit(limit);
        return [.. (await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken))).Select(MongoDbAuditDocument.Read)];
    }
}
