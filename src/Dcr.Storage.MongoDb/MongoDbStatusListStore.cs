using Dcr.Clients;
using Dcr.TokenStatus;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// Bits in pages of 64-bit words, one document a page. The write that stops a client moves its index to <c>used_up</c>; from there it is
/// carried to its bit, by this node at once or by any other after a crash. Bits are only ever set, so that can be repeated.
/// </summary>
internal sealed class MongoDbStatusListStore(MongoDbStorage storage) : IStatusListStore
{
    /// <summary>On a client that has been stopped: the index whose bit is to be set.</summary>
    public const string UsedUp = "used_up";

    public const string Index = "status_index";

    private const int WordBits = 64;
    private const int PageWords = 256;
    private const int PageBits = PageWords * WordBits;

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    public async Task<long?> AssignAsync(string clientId, CancellationToken cancellationToken)
    {
        var active = Where.Eq("_id", clientId) & Where.Eq("status", (int)ClientStatus.Active);
        Task<BsonDocument> FindAsync() => MongoDbFault.GuardAsync(() => storage.Clients.Find(active)
            .Project(Builders<BsonDocument>.Projection.Include(Index))
            .SingleOrDefaultAsync(cancellationToken));
        while (await FindAsync() is { } client)
        {
            if (client.GetValue(Index, BsonNull.Value) is BsonInt64 index)
            {
                return index.Value;
            }
            var next = await NextAsync(cancellationToken);
            await MongoDbFault.GuardAsync(
                () =>
                    storage.Clients.UpdateOneAsync(
                        active & Where.Exists(Index, false), Set.Set(Index, next), cancellationToken: cancellationToken));
        }
        return null;
    }

    public async Task<long?> FindVersionAsync(int list, CancellationToken cancellationToken) =>
        (
            await MongoDbFault.GuardAsync(
                () => storage.StatusLists.Find(Where.Eq("_id", list)).SingleOrDefaultAsync(cancellationToken)))?["version"].AsInt64;

    public async Task<byte[]> ReadAsync(int list, CancellationToken cancellationToken)
    {
        var bits = new byte[StatusReference.ListSize / 8];
        var pages = await MongoDbFault.GuardAsync(() => storage.StatusPages.Find(Where.Eq("list", list)).ToListAsync(cancellationToken));
        foreach (var page in pages)
        {
            var words = page["words"].AsBsonArray.Select(word => word.AsInt64).ToArray();
            // The lowest bit of the lowest byte first, whatever this machine's order.
            var start = page["page"].AsInt32 * PageBits / 8;
            for (var i = 0; i < words.Length; i++)
            {
                System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(bits.AsSpan(start + (i * sizeof(long))), words[i]);
            }
        }
        return bits;
    }

    /// <summary>Sets the bits of these clients, and takes the note off them.</summary>
    public async Task CarryOnAsync(IEnumerable<BsonDocument> stopped, CancellationToken cancellationToken)
    {
        List<BsonDocument> noted = [.. stopped.Where(client => client.Contains(UsedUp))];
        foreach (var list in noted.GroupBy(client => StatusReference.ListOf(client[UsedUp].AsInt64)))
        {
            foreach (var page in list.GroupBy(client => StatusReference.PlaceOf(client[UsedUp].AsInt64) / PageBits))
            {
                await SetBitsAsync(
                    list.Key,
                    page.Key,
                    page.Select(client => StatusReference.PlaceOf(client[UsedUp].AsInt64) % PageBits),
                    cancellationToken);
            }
            await MongoDbFault.GuardAsync(
                () =>
                    storage.StatusLists.UpdateOneAsync(
                        Where.Eq("_id", list.Key), Set.Inc("version", 1L), cancellationToken: cancellationToken));
        }
        if (noted.Count > 0)
        {
            await MongoDbFault.GuardAsync(
                () => storage.Clients.BulkWriteAsync(noted.Select(Done), new BulkWriteOptions { IsOrdered = false }, cancellationToken));
        }
    }

    private async Task SetBitsAsync(int list, int page, IEnumerable<int> places, CancellationToken cancellationToken)
    {
        var id = $"{list}/{page}";
        var words = places.GroupBy(place => place / WordBits, place => 1L << (place % WordBits))
            .Select(word => Set.BitwiseOr($"words.{word.Key}", word.Aggregate((one, other) => one | other)));
        var bits = Set.Combine(words);
        var set = await MongoDbFault.GuardAsync(
            () => storage.StatusPages.UpdateOneAsync(Where.Eq("_id", id), bits, cancellationToken: cancellationToken));
        if (set.MatchedCount == 0)
        {
            await TryInsertAsync(
                storage.StatusPages,
                new BsonDocument("_id", id)
                {
                    { "list", list },
                    { "page", page },
                    { "words", new BsonArray(Enumerable.Repeat(BsonValue.Create(0L), PageWords)) },
                },
                cancellationToken);
            await MongoDbFault.GuardAsync(
                () => storage.StatusPages.UpdateOneAsync(Where.Eq("_id", id), bits, cancellationToken: cancellationToken));
        }
    }

    // One that is not used after all, in a race, is never given again.
    private async Task<long> NextAsync(CancellationToken cancellationToken)
    {
        var counter = Where.Eq("_id", "next_index");
        if (await IncrementAsync(counter, cancellationToken) is not { } count)
        {
            await TryInsertAsync(storage.StatusCounters, new BsonDocument("_id", "next_index") { { "next", 0L } }, cancellationToken);
            count = (await IncrementAsync(counter, cancellationToken))!;
        }
        var index = count["next"].AsInt64 - 1;
        var list = StatusReference.ListOf(index);
        if (await FindVersionAsync(list, cancellationToken) is null)
        {
            await TryInsertAsync(storage.StatusLists, new BsonDocument("_id", list) { { "version", 0L } }, cancellationToken);
        }
        return index;
    }

    private Task<BsonDocument?> IncrementAsync(FilterDefinition<BsonDocument> counter, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync<BsonDocument?>(() => storage.StatusCounters.FindOneAndUpdateAsync(
        counter, Set.Inc("next", 1L), new FindOneAndUpdateOptions<BsonDocument>
        {
            ReturnDocument = ReturnDocument.After,
        }, cancellationToken)!);

    private static async Task TryInsertAsync(
        IMongoCollection<BsonDocument> collection, BsonDocument document, CancellationToken cancellationToken)
    {
        try
        {
            await MongoDbFault.GuardAsync(() => collection.InsertOneAsync(document, options: null, cancellationToken));
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            // Made by another at this moment.
        }
    }

    private static WriteModel<BsonDocument> Done(BsonDocument client) => new UpdateOneModel<BsonDocument>(
        Where.Eq("_id", client["_id"]) & Where.Eq(UsedUp, client[UsedUp]), Set.Unset(UsedUp));
}
