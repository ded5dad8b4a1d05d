using Dcr.Auditing;
using Dcr.ClientAuthentication;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>Each change and its audit record are one write to one document; the record is moved on afterwards.</summary>
internal sealed class MongoDbClientStore(
    MongoDbStorage storage, MongoDbInitialAccessTokens tokens, MongoDbOutbox outbox, MongoDbOutboxWorker worker) : IClientStore
{
    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    public async Task<Client?> FindAsync(string clientId, CancellationToken cancellationToken) =>
        await MongoDbFault.GuardAsync(storage.Clients.Find(Existing(clientId)).SingleOrDefaultAsync(cancellationToken)) is { } document
            ? MongoDbClientDocument.Read(document)
            : null;

    public async Task<IReadOnlyList<Client>> ListAsync(ClientFilter filter, ClientCursor? after, int limit, CancellationToken cancellationToken)
    {
        var where = filter.Status is { } status ? Where.Eq("status", (int)status) : Where.Gte("status", 0);
        if (filter.AssertionAudienceSeen is { } seen)
        {
            where &= Where.Eq("audience_seen", (int)seen);
        }
        if (after is not null)
        {
            var createdAt = after.CreatedAt.ToUnixTimeMilliseconds();
            where &= Where.Lte("created_at", createdAt) & (Where.Lt("created_at", createdAt) | Where.Lt("_id", after.ClientId));
        }
        var found = storage.Clients.Find(where).Sort(Builders<BsonDocument>.Sort.Descending("created_at").Descending("_id")).Limit(limit);
        return [.. (await MongoDbFault.GuardAsync(found.ToListAsync(cancellationToken))).Select(MongoDbClientDocument.Read)];
    }

    public async Task<bool> IsEmptyAsync(CancellationToken cancellationToken) =>
        !await MongoDbFault.GuardAsync(storage.Clients.Find(Where.Gte("status", 0)).Limit(1).AnyAsync(cancellationToken));

    public async Task<AddClientOutcome> AddAsync(Client client, AuditRecord record, CancellationToken cancellationToken)
    {
        if (await TryInsertAsync(client, record, cancellationToken))
        {
            return AddClientOutcome.Added;
        }
        // What is in the way may be the remains of a client that was deleted under this id.
        await MongoDbFault.GuardAsync(outbox.MoveAsync([client.ClientId], cancellationToken));
        return await TryInsertAsync(client, record, cancellationToken) ? AddClientOutcome.Added : AddClientOutcome.AlreadyThere;
    }

    public async Task<RegisterClientOutcome> RegisterAsync(Client client, InitialAccessTokenUse use, AuditRecord record, CancellationToken cancellationToken)
    {
        // The use first: a crash in between costs a use, and never leaves a client that was not counted.
        if (!await tokens.TryUseAsync(use, cancellationToken))
        {
            return RegisterClientOutcome.TokenUsedUp;
        }
        return await TryInsertAsync(client, record, cancellationToken)
            ? RegisterClientOutcome.Registered
            : throw new InvalidOperationException("A new client has the id of another: 128 random bits do not repeat.");
    }

    public Task<ReplaceOutcome> ReplaceAsync(Client replacement, AuditRecord record, CancellationToken cancellationToken) => ChangeAsync(
        replacement.ClientId,
        replacement.Version - 1,
        Set.Combine(MongoDbClientDocument.Replaceable(replacement).Select(member => Set.Set(member.Name, member.Value))),
        record,
        cancellationToken);

    public Task<ReplaceOutcome> DeleteAsync(string clientId, long version, AuditRecord record, CancellationToken cancellationToken) => ChangeAsync(
        clientId,
        version,
        Set.Set("status", MongoDbClientDocument.Tombstone).Set("version", version + 1)
            .Unset("metadata").Unset("token_hash").Unset("previous_token_hash").Unset("origin").Unset("policy"),
        record,
        cancellationToken);

    public Task RecordAssertionAudienceAsync(string clientId, AssertionAudience seen, CancellationToken cancellationToken) => MongoDbFault.GuardAsync(
        storage.Clients.UpdateOneAsync(Existing(clientId), Set.Max("audience_seen", (int)seen), cancellationToken: cancellationToken));

    public Task ForgetPreviousRegistrationTokenAsync(string clientId, string currentTokenHash, CancellationToken cancellationToken) => MongoDbFault.GuardAsync(
        storage.Clients.UpdateOneAsync(
            Existing(clientId) & Where.Eq("token_hash", currentTokenHash),
            Set.Set("previous_token_hash", BsonNull.Value).Set("previous_valid_until", BsonNull.Value),
            cancellationToken: cancellationToken));

    private static FilterDefinition<BsonDocument> Existing(string clientId) => Where.Eq("_id", clientId) & Where.Gte("status", 0);

    private async Task<bool> TryInsertAsync(Client client, AuditRecord record, CancellationToken cancellationToken)
    {
        try
        {
            await MongoDbFault.GuardAsync(storage.Clients.InsertOneAsync(MongoDbClientDocument.Of(client, record), options: null, cancellationToken));
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            return false;
        }
        worker.Notify(client.ClientId);
        return true;
    }

    /// <summary>One atomic write: the change and its record, if the client is at this version.</summary>
    private async Task<ReplaceOutcome> ChangeAsync(
        string clientId, long version, UpdateDefinition<BsonDocument> change, AuditRecord record, CancellationToken cancellationToken)
    {
        var changed = await MongoDbFault.GuardAsync(storage.Clients.UpdateOneAsync(
            Existing(clientId) & Where.Eq("version", version),
            Set.Combine(change, Set.Push("outbox", MongoDbAuditDocument.Of(record)), Set.Set("outbox_since", record.At.ToUnixTimeMilliseconds())),
            cancellationToken: cancellationToken));
        if (changed.MatchedCount == 1)
        {
            worker.Notify(clientId);
            return ReplaceOutcome.Done;
        }
        return await FindAsync(clientId, cancellationToken) is null ? ReplaceOutcome.Gone : ReplaceOutcome.VersionConflict;
    }
}
