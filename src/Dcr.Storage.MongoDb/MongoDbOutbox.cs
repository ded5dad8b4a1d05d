using Dcr.Keys;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// Moves audit records from the documents they were written with, mostly clients, to the audit collection (decision 0003). Every step can
/// be repeated, by several nodes at once: a record that is there already is left, and of an outbox only what was read is taken.
/// </summary>
internal sealed class MongoDbOutbox(
    MongoDbStorage storage, MongoDbRegistrationCounts counts, MongoDbStatusListStore statuses, MongoDbKeyUseStore uses)
{
    /// <summary>Clients moved together, in three round trips: as many as fit the first page of a cursor.</summary>
    public const int AtOnce = 100;

    /// <summary>As many records as wait with one client at most; the next change moves them first.</summary>
    public const int MaxWaiting = 100;

    // What is left by then is for the next sweep.
    private const int MaxPages = 1000;

    private static readonly ProjectionDefinition<BsonDocument> s_outbox =
        Builders<BsonDocument>.Projection.Include("version")
            .Include("status")
            .Include("outbox")
            .Include("outbox_since")
            .Include("onboarding_client")
            .Include("release").Include("reservation").Include(MongoDbStatusListStore.UsedUp);

    private static readonly FilterDefinition<BsonDocument> s_waiting = Where.Gt("outbox_since", 0L);

    private static readonly SortDefinition<BsonDocument> s_oldestFirst = Builders<BsonDocument>.Sort.Ascending("outbox_since");

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    /// <summary>Moves the records that these clients, at most <see cref="AtOnce"/>, hold now. Finishes deletions.</summary>
    public async Task MoveAsync(IReadOnlyCollection<string> clientIds, CancellationToken cancellationToken) =>
        await MoveAsync(await ReadAsync(Where.In("_id", clientIds) & s_waiting, cancellationToken), cancellationToken);

    /// <summary>Moves the records about one client, key set, key in quarantine or signing key.</summary>
    public async Task MoveSubjectAsync(string subject, CancellationToken cancellationToken)
    {
        await MoveAsync([subject], cancellationToken);
        await MoveAsync(
            storage.KeySets, await ReadAsync(storage.KeySets, Where.Eq("_id", subject) & s_waiting, cancellationToken), cancellationToken);
        await MoveAsync(
            storage.QuarantinedKeys,
            await ReadAsync(storage.QuarantinedKeys, Where.Eq("_id", subject) & s_waiting, cancellationToken),
            cancellationToken);
        await MoveAsync(
            storage.SigningKeys,
            await ReadAsync(storage.SigningKeys, Where.Eq("kid", subject) & s_waiting, cancellationToken),
            cancellationToken);
    }

    /// <summary>Moves everything that a node left behind when it ended, or has not come to yet.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        foreach (var collection in new[] { storage.Clients, storage.KeySets, storage.QuarantinedKeys, storage.SigningKeys })
        {
            await SweepAsync(collection, cancellationToken);
        }
    }

    /// <summary>
    /// The newest records that wait with what they were written with. A record is added to the audit collection before it is taken from
    /// there: whoever reads first these and then the audit collection misses none, whoever moves them meanwhile.
    /// </summary>
    public async Task<IReadOnlyList<BsonDocument>> ListAsync(
        string? subject, string? before, int limit, CancellationToken cancellationToken)
    {
        var newest = new SortedDictionary<string, BsonDocument>(StringComparer.Ordinal);
        (IMongoCollection<BsonDocument>, string)[] outboxes =
        [
            (storage.Clients, "_id"), (storage.KeySets, "_id"), (storage.QuarantinedKeys, "_id"), (storage.SigningKeys, "kid"),
        ];
        foreach (var (collection, key) in outboxes)
        {
            var where = subject is null ? s_waiting : Where.Eq(key, subject) & s_waiting;
            // A document that is written to meanwhile moves on in this order, and is not missed.
            var waiting = collection.Find(where).Project(Builders<BsonDocument>.Projection.Include("outbox")).Sort(s_oldestFirst);
            await waiting.ForEachAsync(document => Add(newest, Outbox(document), subject, before, limit), cancellationToken);
        }
        return [.. newest.Values];
    }

    private static void Add(
        SortedDictionary<string, BsonDocument> newest, IEnumerable<BsonDocument> records, string? subject, string? before, int limit)
    {
        foreach (var record in records.Where(record => subject is null || record["subject"] == subject))
        {
            var id = record["_id"].AsString;
            if (before is null || string.CompareOrdinal(id, before) < 0)
            {
                newest[id] = record;
            }
            if (newest.Count > limit)
            {
                newest.Remove(newest.Keys.First());
            }
        }
    }

    /// <summary>Page by page: a tombstone that has to stay for now holds up no other.</summary>
    private async Task SweepAsync(IMongoCollection<BsonDocument> collection, CancellationToken cancellationToken)
    {
        var seen = new HashSet<BsonValue>();
        var from = 1L;
        for (var page = 0; page < MaxPages; page++)
        {
            var waiting = await ReadAsync(collection, Where.Gte("outbox_since", from), cancellationToken);
            List<BsonDocument> fresh = [.. waiting.Where(document => seen.Add(document["_id"]))];
            await MoveAsync(collection, fresh, cancellationToken);
            if (waiting.Count < AtOnce)
            {
                return;
            }
            from = fresh.Count > 0 ? waiting[^1]["outbox_since"].ToInt64() : from + 1;
        }
    }

    internal Task<List<BsonDocument>> ReadAsync(FilterDefinition<BsonDocument> where, CancellationToken cancellationToken) =>
        ReadAsync(storage.Clients, where, cancellationToken);

    internal Task MoveAsync(IReadOnlyCollection<BsonDocument> waiting, CancellationToken cancellationToken) =>
        MoveAsync(storage.Clients, waiting, cancellationToken);

    private static Task<List<BsonDocument>> ReadAsync(
        IMongoCollection<BsonDocument> collection, FilterDefinition<BsonDocument> where, CancellationToken cancellationToken) =>
        collection.Find(where).Project(s_outbox).Sort(s_oldestFirst).Limit(AtOnce).ToListAsync(cancellationToken);

    private async Task MoveAsync(
        IMongoCollection<BsonDocument> collection, IReadOnlyCollection<BsonDocument> waiting, CancellationToken cancellationToken)
    {
        if (waiting.Count == 0)
        {
            return;
        }
        await AddToAuditAsync(waiting.SelectMany(Outbox), cancellationToken);
        await CarryOnCountsAsync(waiting, cancellationToken);
        await statuses.CarryOnAsync(waiting, cancellationToken);
        // With what is deleted go the uses of its keys, also where the node that deleted it ended in the middle.
        foreach (var deleted in waiting.Where(owner => owner["status"] == MongoDbClientDocument.Tombstone))
        {
            await uses.DeleteAsync(
                collection == storage.KeySets ? KeyUse.KeySetPrefix + deleted["_id"].AsString : deleted["_id"].ToString()!,
                cancellationToken);
        }
        await collection.BulkWriteAsync(waiting.SelectMany(Emptying), options: null, cancellationToken);
    }

    /// <summary>
    /// Clients that have come to be live need no mark in their onboarding client's count any more; room of those that stopped is given up.
    /// </summary>
    private async Task CarryOnCountsAsync(IReadOnlyCollection<BsonDocument> waiting, CancellationToken cancellationToken)
    {
        var byOnboardingClient = waiting.Where(client => client.GetValue("onboarding_client", BsonNull.Value).IsString)
            .GroupBy(client => client["onboarding_client"].AsString);
        foreach (var registered in byOnboardingClient)
        {
            await counts.SettleAsync(
                registered.Key,
                registered.Where(client => client.Contains("reservation")).Select(client => client["reservation"].AsString),
                cancellationToken);
            if (registered.Any(client => client.Contains("release")))
            {
                await counts.ReleaseAsync(registered.Key, cancellationToken);
            }
        }
    }

    private async Task AddToAuditAsync(IEnumerable<BsonDocument> records, CancellationToken cancellationToken)
    {
        List<BsonDocument> all = [.. records];
        if (all.Count == 0)
        {
            return;
        }
        try
        {
            await storage.Audit.InsertManyAsync(all, new InsertManyOptions { IsOrdered = false }, cancellationToken);
        }
        catch (MongoBulkWriteException<BsonDocument> exception) when (MongoDbFault.IsNothingButDuplicateKeys(exception))
        {
            // Moved before, by a node that has not emptied the outbox yet, or ended before it could. Unordered: the
            // others are in.
        }
    }

    // In this order. Records are only ever added at the end: one that is as long and ends in the same record is as it was read, and is
    // taken as a whole. Of any other, of a client that is written to without pause or a later one of the same id, what was moved is taken.
    private static IEnumerable<WriteModel<BsonDocument>> Emptying(BsonDocument client)
    {
        List<BsonValue> moved = [.. Outbox(client).Select(record => record["_id"])];
        var same = Where.Eq("_id", client["_id"]);
        var asRead = moved.Count == 0
            ? same & Where.Size("outbox", 0)
            : same & Where.Size("outbox", moved.Count) & Where.Eq($"outbox.{moved.Count - 1}._id", moved[^1]);
        yield return client["status"].AsInt32 == MongoDbClientDocument.Tombstone
            ? new DeleteOneModel<BsonDocument>(
                asRead & Where.Eq("version", client["version"]) & Where.Exists("release", false) & Where.Exists(
                    MongoDbStatusListStore.UsedUp, false))
            : new UpdateOneModel<BsonDocument>(asRead, Set.Unset("outbox").Unset("outbox_since"));
        if (client["status"].AsInt32 != MongoDbClientDocument.Tombstone && moved.Count > 0)
        {
            yield return new UpdateOneModel<BsonDocument>(
                same & Where.Eq("outbox._id", moved[0]), Set.PullFilter("outbox", Where.In("_id", moved)));
        }
    }

    private static IEnumerable<BsonDocument> Outbox(BsonDocument client) =>
        client.GetValue("outbox", new BsonArray()).AsBsonArray.Select(record => record.AsBsonDocument);
}
