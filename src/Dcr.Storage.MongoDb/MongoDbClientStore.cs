using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

internal sealed class MongoDbClientStore(MongoDbStorage storage, MongoDbClientChange change, MongoDbOutbox outbox) : IClientStore
{
    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    public async Task<Client?> FindAsync(string clientId, CancellationToken cancellationToken) =>
        await MongoDbFault.GuardAsync(
            () =>
                storage.LatestClients.Find(MongoDbClientChange.Existing(clientId)).SingleOrDefaultAsync(cancellationToken)) is { } document
            ? MongoDbClientDocument.Read(document)
            : null;

    public async Task<IReadOnlyList<Client>> ListAsync(
        ClientFilter filter, ClientCursor? after, int limit, CancellationToken cancellationToken)
    {
        var where = filter.Status is { } status ? Where.Eq("status", (int)status) : Where.Gte("status", 0);
        if (filter.AssertionException is { } excepted)
        {
            where &= excepted ? Where.Eq(MongoDbClientDocument.Excepted, true) : Where.Ne(MongoDbClientDocument.Excepted, true);
        }
        if (filter.Origin is { } origin)
        {
            where &= MongoDbClientDocument.Where(origin);
        }
        if (filter.OnboardingOnly)
        {
            where &= Where.Eq("onboards", true);
        }
        if (after is not null)
        {
            var createdAt = after.CreatedAt.ToUnixTimeMilliseconds();
            where &= Where.Lte("created_at", createdAt) & (Where.Lt("created_at", createdAt) | Where.Lt("_id", after.ClientId));
        }
        var found = storage.Clients.Find(where).Sort(Builders<BsonDocument>.Sort.Descending("created_at").Descending("_id")).Limit(limit);
        return [.. (await MongoDbFault.GuardAsync(() => found.ToListAsync(cancellationToken))).Select(MongoDbClientDocument.Read)];
    }

    public async Task<bool> HasAdministratorAsync(CancellationToken cancellationToken)
    {
        var administers = Where.Eq(MongoDbClientDocument.Administers, true) & Where.Gte("status", 0);
        return await MongoDbFault.GuardAsync(() => storage.Clients.Find(administers).AnyAsync(cancellationToken));
    }

    public async Task<AddClientOutcome> AddAsync(Client client, AuditRecord record, Grounds grounds, CancellationToken cancellationToken)
    {
        var inserted = await change.InsertAsync(client, record, reservation: null, grounds, cancellationToken);
        if (inserted == EffectOutcome.Conflict)
        {
            // What is in the way may be the remains of a client that was deleted under this id.
            await MongoDbFault.GuardAsync(() => outbox.MoveAsync([client.ClientId], cancellationToken));
            inserted = await change.InsertAsync(client, record, reservation: null, grounds, cancellationToken);
        }
        return inserted switch
        {
            EffectOutcome.Done => AddClientOutcome.Added,
            EffectOutcome.GroundsChanged => AddClientOutcome.GroundsChanged,
            _ => AddClientOutcome.AlreadyThere,
        };
    }

    public Task<ReplaceOutcome> ReplaceAsync(
        Client replacement, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        change.ReplaceAsync(replacement, record, Where.Empty, grounds, cancellationToken);

    public Task<ReplaceOutcome> SignOutAsync(
        string clientId, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        change.SignOutAsync(clientId, version, record, grounds, cancellationToken);

    public Task<ReplaceOutcome> DeleteAsync(
        string clientId, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        change.DeleteAsync(clientId, version, record, grounds, cancellationToken);

    /// <summary>Nobody is a client under this id, and nobody has been kept from becoming one.</summary>
    public async Task<bool> IsAnnouncedOrFreeAsync(string clientId) =>
        !await MongoDbFault.GuardAsync(
            () => storage.Clients.Find(Where.Eq("_id", clientId) & Where.Ne("status", MongoDbEffects.Pending)).AnyAsync());

    /// <summary>What took the room that the client became live with. Null: nobody registered it, or there is no such client.</summary>
    public async Task<string?> FindReservationAsync(string clientId)
    {
        var found = storage.Clients.Find(MongoDbClientChange.Existing(clientId)).Project(
            Builders<BsonDocument>.Projection.Include("reservation"));
        var client = await MongoDbFault.GuardAsync(() => found.SingleOrDefaultAsync());
        return client?.GetValue("reservation", BsonNull.Value) is BsonString reservation ? reservation.Value : null;
    }

    public async Task<bool> RecordAuthenticationAsync(
        string clientId, bool byException, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var recorded = await MongoDbFault.GuardAsync(() => storage.Clients.UpdateOneAsync(
            Where.Eq("_id", clientId) & Where.Eq("status", (int)ClientStatus.Active),
            Set.Pipeline(Authenticated(byException, at)),
            cancellationToken: cancellationToken));
        return recorded.MatchedCount == 1;
    }

    /// <summary>In two steps, since the second looks at what the first has made.</summary>
    private static PipelineDefinition<BsonDocument, BsonDocument> Authenticated(bool byException, DateTimeOffset at)
    {
        const string NeededAt = "$" + MongoDbClientDocument.ExceptionNeededAt;
        var now = at.ToUnixTimeMilliseconds();
        var forgotten = (at - Client.ExceptionForgottenAfter).ToUnixTimeMilliseconds();
        // What is null, or is not there, is less than any number.
        BsonValue neededAt = byException
            ? new BsonDocument("$max", new BsonArray { NeededAt, now })
            : new BsonDocument(
                "$cond", new BsonArray { new BsonDocument("$lt", new BsonArray { NeededAt, forgotten }), BsonNull.Value, NeededAt });
        return new[]
        {
            new BsonDocument("$set", new BsonDocument
            {
                { "last_used_at", new BsonDocument("$max", new BsonArray { "$last_used_at", now }) },
                { MongoDbClientDocument.ExceptionNeededAt, neededAt },
            }),
            new BsonDocument("$set", new BsonDocument(MongoDbClientDocument.Excepted, new BsonDocument("$or", new BsonArray
            {
                new BsonDocument("$gt", new BsonArray { NeededAt, BsonNull.Value }),
                new BsonDocument("$gt", new BsonArray { "$" + MongoDbClientDocument.Exception, BsonNull.Value }),
            }))),
        };
    }

    public Task ForgetPreviousRegistrationTokenAsync(string clientId, string currentTokenHash, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() =>
        storage.Clients.UpdateOneAsync(
            MongoDbClientChange.Existing(clientId) & Where.Eq("token_hash", currentTokenHash),
            Set.Set("previous_token_hash", BsonNull.Value).Set("previous_valid_until", BsonNull.Value).Set("previous_changed_keys", false),
            cancellationToken: cancellationToken));
}
