using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>
/// Changes to a client: each is one write to one document, with its audit record, and with the note that the client's room
/// under the cap is to be given up; both are carried on afterwards, by this node or another.
/// </summary>
internal sealed class MongoDbClientChange(MongoDbStorage storage, MongoDbRegistrationCounts counts, MongoDbStatusListStore statuses, MongoDbKeyUseStore uses, MongoDbOutboxWorker worker)
{
    private static readonly FilterDefinition<BsonDocument> s_live = Where.In("status", new[] { (int)ClientStatus.Active, (int)ClientStatus.Suspended });

    // The place where an index is noted that is used up holds one.
    private static readonly FilterDefinition<BsonDocument> s_carriedOn = Where.Exists(MongoDbStatusListStore.UsedUp, false);

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    /// <param name="client">To be added.</param>
    /// <param name="record">To be stored with it.</param>
    /// <param name="reservation">Of the room that was taken for it. Null: nobody registered the client, so it is not counted.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False: its id is in use, or is fenced off.</returns>
    public async Task<bool> TryInsertAsync(Client client, AuditRecord record, string? reservation, CancellationToken cancellationToken)
    {
        var document = MongoDbClientDocument.Of(client, record).Add("reservation", reservation, reservation is not null);
        try
        {
            await MongoDbFault.GuardAsync(() => storage.Clients.InsertOneAsync(document, options: null, cancellationToken));
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            return false;
        }
        worker.Notify(client.ClientId);
        return true;
    }

    public Task<ReplaceOutcome> ReplaceAsync(Client replacement, AuditRecord record, FilterDefinition<BsonDocument> condition, CancellationToken cancellationToken)
    {
        var change = Set.Combine(MongoDbClientDocument.Replaceable(replacement).Select(member => Set.Set(member.Name, member.Value)));
        var before = replacement.Version - 1;
        return replacement.Status switch
        {
            ClientStatus.Active => ChangeAsync(replacement.ClientId, before, s_live & condition, change, record, cancellationToken),
            ClientStatus.Suspended => StopAsync(replacement.ClientId, before, s_live & condition, change, record, cancellationToken),
            _ => EndAsync(replacement.ClientId, before, replacement.Origin?.OnboardingClient, condition, change, record, cancellationToken),
        };
    }

    public async Task<ReplaceOutcome> DeleteAsync(string clientId, long version, AuditRecord record, CancellationToken cancellationToken)
    {
        var found = await MongoDbFault.GuardAsync(() => storage.Clients.Find(Existing(clientId)).Project(Builders<BsonDocument>.Projection.Include("onboarding_client")).SingleOrDefaultAsync(cancellationToken));
        if (found is null)
        {
            return ReplaceOutcome.Gone;
        }
        var change = Set.Set("status", MongoDbClientDocument.Tombstone).Set("version", version + 1).Unset("review_at")
            .Unset("metadata").Unset("token_hash").Unset("previous_token_hash").Unset("origin").Unset("policy");
        var onboardingClient = found.GetValue("onboarding_client", BsonNull.Value) is BsonString name ? name.Value : null;
        var deleted = await EndAsync(clientId, version, onboardingClient, Where.Empty, change, record, cancellationToken);
        if (deleted == ReplaceOutcome.Done)
        {
            await uses.DeleteAsync(clientId, cancellationToken);
        }
        return deleted;
    }

    public Task<ReplaceOutcome> SignOutAsync(string clientId, long version, AuditRecord record, CancellationToken cancellationToken) =>
        StopAsync(clientId, version, Where.Empty, Set.Set("version", version + 1), record, cancellationToken);

    /// <summary>One atomic write: the change and its record, if the client is at this version.</summary>
    public async Task<ReplaceOutcome> ChangeAsync(
        string clientId, long version, FilterDefinition<BsonDocument> condition, UpdateDefinition<BsonDocument> change, AuditRecord record, CancellationToken cancellationToken)
    {
        var changed = await MongoDbFault.GuardAsync(() => storage.Clients.UpdateOneAsync(
            Existing(clientId) & Where.Eq("version", version) & condition, Recorded(change, record), cancellationToken: cancellationToken));
        if (changed.MatchedCount == 1)
        {
            worker.Notify(clientId);
            return ReplaceOutcome.Done;
        }
        return await MongoDbFault.GuardAsync(() => storage.Clients.Find(Existing(clientId)).AnyAsync(cancellationToken)) ? ReplaceOutcome.VersionConflict : ReplaceOutcome.Gone;
    }

    public static FilterDefinition<BsonDocument> Existing(string clientId) => Where.Eq("_id", clientId) & Where.Gte("status", 0);

    public static UpdateDefinition<BsonDocument> Recorded(UpdateDefinition<BsonDocument> change, AuditRecord record) => Set.Combine(
        change, Set.Push("outbox", MongoDbAuditDocument.Of(record)), Set.Set("outbox_since", record.At.ToUnixTimeMilliseconds()));

    /// <summary>The tokens of the client are dead with the same write. Their bit in the status list is set before this returns.</summary>
    private async Task<ReplaceOutcome> StopAsync(
        string clientId, long version, FilterDefinition<BsonDocument> condition, UpdateDefinition<BsonDocument> change, AuditRecord record, CancellationToken cancellationToken)
    {
        var stop = change.Rename(MongoDbStatusListStore.Index, MongoDbStatusListStore.UsedUp);
        var stopped = await ChangeAsync(clientId, version, condition & s_carriedOn, stop, record, cancellationToken);
        var wasInTheWay = await CarryOnAsync(clientId, cancellationToken) && stopped == ReplaceOutcome.VersionConflict;
        if (!wasInTheWay)
        {
            return stopped;
        }
        stopped = await ChangeAsync(clientId, version, condition & s_carriedOn, stop, record, cancellationToken);
        await CarryOnAsync(clientId, cancellationToken);
        return stopped;
    }

    /// <summary>False: there was nothing to be carried on.</summary>
    private async Task<bool> CarryOnAsync(string clientId, CancellationToken cancellationToken)
    {
        var noted = await MongoDbFault.GuardAsync(() => storage.Clients.Find(Where.Eq("_id", clientId) & Where.Exists(MongoDbStatusListStore.UsedUp))
            .Project(Builders<BsonDocument>.Projection.Include(MongoDbStatusListStore.UsedUp)).ToListAsync(cancellationToken));
        await statuses.CarryOnAsync(noted, cancellationToken);
        return noted.Count > 0;
    }

    /// <summary>A client that was live leaves room behind it; one that had ended before has done so then.</summary>
    private async Task<ReplaceOutcome> EndAsync(
        string clientId, long version, string? onboardingClient, FilterDefinition<BsonDocument> condition, UpdateDefinition<BsonDocument> change, AuditRecord record, CancellationToken cancellationToken)
    {
        if (onboardingClient is not null)
        {
            var ended = await StopAsync(clientId, version, s_live & condition, change.Set("release", version + 1), record, cancellationToken);
            if (ended == ReplaceOutcome.Done)
            {
                await counts.ReleaseAsync(onboardingClient, cancellationToken);
                return ReplaceOutcome.Done;
            }
        }
        return await StopAsync(clientId, version, onboardingClient is null ? condition : Where.Not(s_live) & condition, change, record, cancellationToken);
    }
}
