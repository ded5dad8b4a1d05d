using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

internal sealed class MongoDbClientLifecycleStore(MongoDbStorage storage, MongoDbClientChange change, MongoDbRegistrationCounts counts)
    : IClientLifecycleStore
{
    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    public async Task<IReadOnlyList<Client>> ListDueAsync(
        DateTimeOffset now, ReviewCursor? after, int limit, CancellationToken cancellationToken)
    {
        var where = Where.Lte("review_at", now.ToUnixTimeMilliseconds()) & Where.In(
            "status", new[] { (int)ClientStatus.Active, (int)ClientStatus.Expired });
        if (after is not null)
        {
            var reviewAt = after.ReviewAt.ToUnixTimeMilliseconds();
            where &= Where.Gte("review_at", reviewAt) & (Where.Gt("review_at", reviewAt) | Where.Gt("_id", after.ClientId));
        }
        var due = storage.Clients.Find(where).Sort(Builders<BsonDocument>.Sort.Ascending("review_at").Ascending("_id")).Limit(limit);
        return [.. (await MongoDbFault.GuardAsync(() => due.ToListAsync(cancellationToken))).Select(MongoDbClientDocument.Read)];
    }

    public async Task<long> CountLiveAsync(CancellationToken cancellationToken)
    {
        var sum = storage.RegistrationCounts.Aggregate().Group<BsonDocument>(
            new BsonDocument { { "_id", BsonNull.Value }, { "live", new BsonDocument("$sum", "$live") } });
        return (await MongoDbFault.GuardAsync(() => sum.SingleOrDefaultAsync(cancellationToken)))?["live"].ToInt64() ?? 0;
    }

    public Task ReviewAgainAsync(string clientId, DateTimeOffset dueAt, DateTimeOffset? reviewAt, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() =>
        storage.Clients.UpdateOneAsync(
            MongoDbClientChange.Existing(clientId) & Where.Eq("review_at", dueAt.ToUnixTimeMilliseconds()),
            Set.Set("review_at", reviewAt is { } later ? (BsonValue)later.ToUnixTimeMilliseconds() : BsonNull.Value),
            cancellationToken: cancellationToken));

    public Task<ReplaceOutcome> ExpireAsync(Client expired, AuditRecord record, CancellationToken cancellationToken) => change.ReplaceAsync(
        expired,
        record,
        Where.Eq("last_used_at", expired.LastUsedAt is { } usedAt ? (BsonValue)usedAt.ToUnixTimeMilliseconds() : BsonNull.Value),
        Grounds.Server,
        cancellationToken);

    public Task<ReplaceOutcome> ReplaceAndEndTokensAsync(
        Client replacement, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        change.ReplaceAsync(replacement, record, Where.Empty, grounds, cancellationToken, endTokens: true);

    public async Task<ReviveOutcome> ReviveAsync(
        Client revived, RegistrationLimits limits, AuditRecord record, Grounds grounds, CancellationToken cancellationToken)
    {
        // Its room from before is given up first, or it would be given up later while the client is live again.
        await counts.ReleaseAsync(limits.OnboardingClient, cancellationToken);
        var reservation = MongoDbRegistrationCounts.NewReservation();
        if (await counts.ReserveAsync(limits, revived.ClientId, reservation, countsForHour: false, cancellationToken) is not null)
        {
            return ReviveOutcome.TooManyLiveClients;
        }
        var replacement = Set.Combine(MongoDbClientDocument.Replaceable(revived).Select(member => Set.Set(member.Name, member.Value)));
        var expired = Where.Eq("status", (int)ClientStatus.Expired) & Where.Exists("release", false);
        var outcome = await change.ChangeAsync(
            revived.ClientId,
            revived.Version - 1,
            expired,
            replacement.Set("reservation", reservation),
            record,
            grounds,
            cancellationToken);
        if (outcome == ReplaceOutcome.Done)
        {
            await counts.SettleAsync(limits.OnboardingClient, [reservation], cancellationToken);
            return ReviveOutcome.Done;
        }
        await counts.CancelAsync(limits.OnboardingClient, reservation, cancellationToken);
        return outcome switch
        {
            ReplaceOutcome.Gone => ReviveOutcome.Gone,
            ReplaceOutcome.GroundsChanged => ReviveOutcome.GroundsChanged,
            _ => ReviveOutcome.VersionConflict,
        };
    }
}
