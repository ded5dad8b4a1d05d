using System.Security.Cryptography;
using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

internal enum EffectOutcome
{
    Done,

    /// <summary>The document is not there, or not as the effect asks; nothing was changed.</summary>
    Conflict,

    /// <summary>What the effect rests on does not hold any more; nothing was changed.</summary>
    GroundsChanged,
}

/// <summary>
/// Effects on one document that rest on others, without transactions (decision 0009). The effect is announced first: a new document is
/// inserted as pending, which nobody sees; a change leaves a mark, which changes nothing. Then its grounds are read, and one update that
/// asks for the mark makes the effect. Who ends one of the grounds writes that first and then removes every mark that rests on it
/// (<see cref="VoidAsync"/>) before it answers. So of the two one always sees the other: if the grounds were read before the end was
/// written, the mark is gone before the end is acknowledged, or the effect was made before that.
/// </summary>
internal sealed class MongoDbEffects(MongoDbStorage storage, TimeProvider time)
{
    /// <summary>The status of a new document whose grounds have not been read yet.</summary>
    public const int Pending = -2;

    /// <summary>The members by which marks are found; indexed in every collection that has effects.</summary>
    public const string RestsOn = "pending.on";

    private const string Mark = "pending";

    // What must not be seen of a document before it is made.
    private static readonly string[] s_hidden = ["status", "outbox", "outbox_since"];

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    /// <summary>A pending document under the same id makes way: whoever announced it finds its mark gone.</summary>
    public async Task<EffectOutcome> InsertAsync(
        IMongoCollection<BsonDocument> collection, BsonDocument document, Grounds grounds, CancellationToken cancellationToken)
    {
        if (RestsOnNothing(grounds))
        {
            return await TryPlaceAsync(collection, document, cancellationToken) ? EffectOutcome.Done : EffectOutcome.Conflict;
        }
        var mark = NewMark(grounds);
        var pending = new BsonDocument(document.Where(member => !s_hidden.Contains(member.Name))) { { "status", Pending }, { Mark, mark } };
        if (!await TryPlaceAsync(collection, pending, cancellationToken))
        {
            return EffectOutcome.Conflict;
        }
        var id = Where.Eq("_id", document["_id"]) & Where.Eq("status", Pending);
        var make = Set.Combine(s_hidden.Where(document.Contains).Select(name => Set.Set(name, document[name])));
        var outcome = await MakeAsync(collection, id, make, mark, grounds);
        if (outcome != EffectOutcome.Done)
        {
            // A mark that is gone was removed by whoever ended a ground; another mark is another announcement, which is left alone.
            var own = id & (Where.Eq($"{Mark}._id", mark["_id"]) | Where.Exists(Mark, false));
            await MongoDbFault.GuardAsync(() => collection.DeleteOneAsync(own, CancellationToken.None));
        }
        return outcome;
    }

    /// <param name="collection">Of the document.</param>
    /// <param name="where">The document, by its id and what the effect asks of it.</param>
    /// <param name="change">The effect.</param>
    /// <param name="grounds">What it rests on, but for the document itself.</param>
    /// <param name="cancellationToken">Ends the wait before the first write. From then on the driver's own deadlines apply: a caller that
    /// goes away leaves nothing half-done.</param>
    public async Task<EffectOutcome> UpdateAsync(
        IMongoCollection<BsonDocument> collection,
        FilterDefinition<BsonDocument> where,
        UpdateDefinition<BsonDocument> change,
        Grounds grounds,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (RestsOnNothing(grounds))
        {
            return await TryUpdateAsync(collection, where, change) ? EffectOutcome.Done : EffectOutcome.Conflict;
        }
        var mark = NewMark(grounds);
        return await TryUpdateAsync(collection, where, Set.Set(Mark, mark))
            ? await MakeAsync(collection, where, change, mark, grounds)
            : EffectOutcome.Conflict;
    }

    /// <summary>
    /// Removes every mark that rests on these clients. Called after their end, or the change of their policy, has been written.
    /// </summary>
    public Task VoidAsync(IEnumerable<string> clientIds) => RemoveMarksAsync([.. clientIds.Select(OfClient)]);

    /// <summary>Removes every mark that rests on this token. Called after its revocation has been written.</summary>
    public Task VoidTokenAsync(string jti) => RemoveMarksAsync([OfToken(jti)]);

    /// <summary>Removes every mark that rests on this key. Called after its quarantine on the whole server has been written.</summary>
    public Task VoidKeyAsync(string thumbprint) => RemoveMarksAsync([OfKey(thumbprint)]);

    public async Task<bool> HoldAsync(Grounds grounds)
    {
        var revoked = grounds.Token is { } token
            ? MongoDbFault.GuardAsync(() => storage.RevokedTokens.Find(Where.Eq("_id", token.Jti)).AnyAsync())
            : Task.FromResult(false);
        var found = storage.LatestClients.Find(Where.In("_id", grounds.Clients.Select(ground => ground.ClientId)) & Where.Gte("status", 0));
        var clients = (await MongoDbFault.GuardAsync(() => found.ToListAsync())).ToDictionary(
            client => client["_id"].AsString, MongoDbClientDocument.ReadStanding);
        var keys = grounds.Clients.Select(ground => ground.KeyThumbprint).OfType<string>().ToList();
        var held = keys.Count > 0 && await MongoDbFault.GuardAsync(() => MongoDbQuarantinedKeyStore.Held(storage, keys).AnyAsync());
        if (await revoked || held)
        {
            return false;
        }
        var now = time.GetUtcNow();
        return !(grounds.Token?.ExpiresAt <= now)
            && grounds.Clients.All(ground => clients.GetValueOrDefault(ground.ClientId)?.Supports(ground, now) == true);
    }

    private async Task<EffectOutcome> MakeAsync(
        IMongoCollection<BsonDocument> collection,
        FilterDefinition<BsonDocument> where,
        UpdateDefinition<BsonDocument> change,
        BsonDocument mark,
        Grounds grounds)
    {
        var marked = where & Where.Eq($"{Mark}._id", mark["_id"]);
        if (!await HoldAsync(grounds))
        {
            await TryUpdateAsync(collection, marked, Set.Unset(Mark));
            return EffectOutcome.GroundsChanged;
        }
        if (await TryUpdateAsync(collection, marked, change.Unset(Mark)))
        {
            return EffectOutcome.Done;
        }
        return await HoldAsync(grounds) ? EffectOutcome.Conflict : EffectOutcome.GroundsChanged;
    }

    private Task RemoveMarksAsync(string[] on) => Task.WhenAll(
        new[]
        {
            storage.Clients,
            storage.KeySets,
            storage.QuarantinedKeys,
            storage.SigningKeys,
            storage.ClientOperations,
        }.Select(collection =>
            MongoDbFault.GuardAsync(
                () => collection.UpdateManyAsync(Where.In(RestsOn, on), Set.Unset(Mark), cancellationToken: CancellationToken.None))));

    private static async Task<bool> TryUpdateAsync(
        IMongoCollection<BsonDocument> collection, FilterDefinition<BsonDocument> where, UpdateDefinition<BsonDocument> change) =>
        (
            await MongoDbFault.GuardAsync(
                () => collection.UpdateOneAsync(where, change, cancellationToken: CancellationToken.None))).MatchedCount == 1;

    private static async Task<bool> TryPlaceAsync(
        IMongoCollection<BsonDocument> collection, BsonDocument document, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            await MongoDbFault.GuardAsync(() => collection.InsertOneAsync(document, options: null, CancellationToken.None));
            return true;
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            var pending = Where.Eq("_id", document["_id"]) & Where.Eq("status", Pending);
            return (
                await MongoDbFault.GuardAsync(
                    () => collection.ReplaceOneAsync(pending, document, cancellationToken: CancellationToken.None))).MatchedCount == 1;
        }
    }

    private static bool RestsOnNothing(Grounds grounds) => grounds.Clients.Count == 0 && grounds.Token is null;

    private static BsonDocument NewMark(Grounds grounds)
    {
        var on = new BsonArray(grounds.Clients.Select(ground => OfClient(ground.ClientId)));
        on.AddRange(grounds.Clients.Select(ground => ground.KeyThumbprint).OfType<string>().Select(OfKey));
        if (grounds.Token is { } token)
        {
            on.Add(OfToken(token.Jti));
        }
        return new BsonDocument { { "_id", RandomNumberGenerator.GetHexString(32, lowercase: true) }, { "on", on } };
    }

    private static string OfClient(string clientId) => $"client {clientId}";

    private static string OfKey(string thumbprint) => $"key {thumbprint}";

    private static string OfToken(string jti) => $"token {jti}";
}
