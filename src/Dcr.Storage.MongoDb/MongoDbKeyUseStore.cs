using Dcr.Keys;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// One document for each key of each client; gone with the client, or 400 days after its last use. A deletion ends the client first and its
/// documents then; a use is written first and its client looked for again then. Of two that meet, one sees the other.
/// </summary>
internal sealed class MongoDbKeyUseStore(MongoDbStorage storage) : IKeyUseStore
{
    private const int AtOnce = 1000;

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    public async Task RecordAsync(IReadOnlyCollection<KeyUse> uses, CancellationToken cancellationToken)
    {
        foreach (var some in uses.Chunk(AtOnce))
        {
            var made = await OwnersAsync(some, cancellationToken);
            KeyUse[] owned =
            [
                .. some.Where(use => made.TryGetValue(use.ClientId, out var madeAt) && madeAt <= use.UsedAt.ToUnixTimeMilliseconds()),
            ];
            if (owned.Length == 0)
            {
                continue;
            }
            await WriteAsync(owned, cancellationToken);
            var left = await OwnersAsync(owned, cancellationToken);
            foreach (var gone in owned.Select(use => use.ClientId).Distinct().Where(owner => !left.ContainsKey(owner)))
            {
                await DeleteAsync(gone, cancellationToken);
            }
        }
    }

    public async Task<IReadOnlyDictionary<string, DateTimeOffset>> FindAsync(string clientId, CancellationToken cancellationToken)
    {
        var found = storage.KeyUses.Find(Where.Eq("client_id", clientId));
        return (await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken))).ToDictionary(
            use => use["_id"]["thumbprint"].AsString, use => new DateTimeOffset(use["last_used_at"].ToUniversalTime(), TimeSpan.Zero));
    }

    /// <summary>For an owner that has been deleted.</summary>
    public Task DeleteAsync(string owner, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => storage.KeyUses.DeleteManyAsync(Where.Eq("client_id", owner), cancellationToken));

    private async Task WriteAsync(KeyUse[] uses, CancellationToken cancellationToken)
    {
        List<WriteModel<BsonDocument>> writes = [.. uses.Select(use => new UpdateOneModel<BsonDocument>(
            Where.Eq("_id", new BsonDocument { { "client_id", use.ClientId }, { "thumbprint", use.Thumbprint } }),
            Builders<BsonDocument>.Update.Max("last_used_at", use.UsedAt.UtcDateTime).SetOnInsert("client_id", use.ClientId))
        {
            IsUpsert = true,
        })];
        try
        {
            await BulkWriteAsync(writes, cancellationToken);
        }
        catch (MongoBulkWriteException<BsonDocument> exception) when (MongoDbFault.IsNothingButDuplicateKeys(exception))
        {
            // Another node wrote down the first use of the same key at this moment; now it is there to be moved on.
            await BulkWriteAsync(writes, cancellationToken);
        }
    }

    private Task BulkWriteAsync(List<WriteModel<BsonDocument>> writes, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(
            () => storage.KeyUses.BulkWriteAsync(writes, new BulkWriteOptions { IsOrdered = false }, cancellationToken));

    /// <summary>When each owner that there is was made, by the name that its uses have.</summary>
    private async Task<Dictionary<string, long>> OwnersAsync(IReadOnlyCollection<KeyUse> uses, CancellationToken cancellationToken)
    {
        var made = await MadeAtAsync(
            storage.KeySets, uses.Select(use => use.KeySetId).OfType<string>(), id => KeyUse.KeySetPrefix + id, cancellationToken);
        foreach (var (client, madeAt) in await MadeAtAsync(storage.Clients, uses.Select(use => use.ClientId), id => id, cancellationToken))
        {
            made.TryAdd(client, madeAt);
        }
        return made;
    }

    private static async Task<Dictionary<string, long>> MadeAtAsync(
        IMongoCollection<BsonDocument> owners, IEnumerable<string> ids, Func<string, string> nameOf, CancellationToken cancellationToken)
    {
        string[] distinct = [.. ids.Distinct()];
        if (distinct.Length == 0)
        {
            return [];
        }
        var found = owners.Find(Where.In("_id", distinct) & Where.Gte("status", 0)).Project(
            Builders<BsonDocument>.Projection.Include("created_at"));
        return (await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken))).ToDictionary(
            owner => nameOf(owner["_id"].AsString), owner => owner["created_at"].AsInt64);
    }
}
