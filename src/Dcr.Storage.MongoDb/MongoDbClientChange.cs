using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// Changes to a client: each is one write to one document, with its audit record, and with the note that the client's room
/// under the cap is to be given up; both are carried on afterwards, by this node or another.
/// </summary>
internal sealed class MongoDbClientChange(
    MongoDbStorage storage,
    MongoDbEffects effects,
    MongoDbRegistrationCounts counts,
    MongoDbStatusListStore statuses,
    MongoDbKeyUseStore uses,
    MongoDbOutbox outbox,
    MongoDbOutboxWorker worker)
{
    private static readonly FilterDefinition<BsonDocument> s_live = Where.In(
        "status", new[] { (int)ClientStatus.Active, (int)ClientStatus.Suspended });

    // The place where an index is noted that is used up holds one.
    private static readonly FilterDefinition<BsonDocument> s_carriedOn = Where.Exists(MongoDbStatusListStore.UsedUp, false);

    private static readonly FilterDefinition<BsonDocument> s_hasRoom = Where.Exists($"outbox.{MongoDbOutbox.MaxWaiting - 1}", false);

    private static readonly ProjectionDefinition<BsonDocument> s_records = Builders<BsonDocument>.Projection.Include("outbox._id");

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    /// <param name="client">To be added.</param>
    /// <param name="record">To be stored with it.</param>
    /// <param name="reservation">Of the room that was taken for it. Null: nobody registered the client, so it is not counted.</param>
    /// <param name="grounds">What it rests on.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Conflict: its id is in use, or is fenced off.</returns>
    public async Task<EffectOutcome> InsertAsync(
        Client client, AuditRecord record, string? reservation, Grounds grounds, CancellationToken cancellationToken)
    {
        var document = MongoDbClientDocument.Of(client, record).Add("reservation", reservation, reservation is not null);
        var inserted = await effects.InsertAsync(storage.Clients, document, grounds, cancellationToken);
        if (inserted == EffectOutcome.Done)
        {
            worker.Notify(client.ClientId);
        }
        return inserted;
    }

    public async Task<ReplaceOutcome> ReplaceAsync(
        Client replacement,
        AuditRecord record,
        FilterDefinition<BsonDocument> condition,
        Grounds grounds,
        CancellationToken cancellationToken,
        bool endTokens = false)
    {
        var change = Set.Combine(MongoDbClientDocument.Replaceable(replacement).Select(member => Set.Set(member.Name, member.Value)));
        var before = replacement.Version - 1;
        switch (replacement.Status)
        {
            case ClientStatus.Active when !endTokens:
                var replaced = await ChangeAsync(
                    replacement.ClientId, before, s_live & condition, change, record, grounds, cancellationToken);
                // Its policy may be another, or a key of it quarantined. A client that updates itself ends nothing that others rest on.
                if (replaced == ReplaceOutcome.Done && record.Actor != replacement.ClientId)
                {
                    await effects.VoidAsync([replacement.ClientId]);
                }
                return replaced;
            case ClientStatus.Active or ClientStatus.Suspended:
                return await StopAsync(replacement.ClientId, before, s_live & condition, change, record, grounds, cancellationToken);
            default:
                return await EndAsync(
                    replacement.ClientId,
                    before,
                    replacement.Origin?.OnboardingClient,
                    condition,
                    change,
                    record,
                    grounds,
                    cancellationToken);
        }
    }

    public async Task<ReplaceOutcome> DeleteAsync(
        string clientId, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken)
    {
        var found = await MongoDbFault.GuardAsync(
            () =>
                storage.Clients.Find(Existing(clientId))
                    .Project(Builders<BsonDocument>.Projection.Include("onboarding_client"))
                    .SingleOrDefaultAsync(cancellationToken));
        if (found is null)
        {
            return ReplaceOutcome.Gone;
        }
        var change = Set.Set("status", MongoDbClientDocument.Tombstone).Set("version", version + 1).Unset("review_at")
            .Unset("metadata").Unset("token_hash").Unset("previous_token_hash").Unset("origin").Unset("policy");
        var onboardingClient = found.GetValue("onboarding_client", BsonNull.Value) is BsonString name ? name.Value : null;
        var deleted = await EndAsync(clientId, version, onboardingClient, Where.Empty, change, record, grounds, cancellationToken);
        if (deleted == ReplaceOutcome.Done)
        {
            await uses.DeleteAsync(clientId, CancellationToken.None);
        }
        return deleted;
    }

    public Task<ReplaceOutcome> SignOutAsync(
        string clientId, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken)
    {
        var change = Set.Set("version", version + 1)
            .Set("token_hash", BsonNull.Value)
            .Set("previous_token_hash", BsonNull.Value)
            .Set("previous_valid_until", BsonNull.Value);
        return StopAsync(clientId, version, Where.Empty, change, record, grounds, cancellationToken);
    }

    /// <summary>The change and its record in one write, if the client is at this version and the grounds hold.</summary>
    public async Task<ReplaceOutcome> ChangeAsync(
        string clientId,
        long version,
        FilterDefinition<BsonDocument> condition,
        UpdateDefinition<BsonDocument> change,
        AuditRecord record,
        Grounds grounds,
        CancellationToken cancellationToken)
    {
        var changed = await TryChangeAsync(clientId, version, condition, change, record, grounds, cancellationToken);
        if (changed != EffectOutcome.Conflict)
        {
            return changed == EffectOutcome.Done ? ReplaceOutcome.Done : ReplaceOutcome.GroundsChanged;
        }
        var found = await MongoDbFault.GuardAsync(
            () => storage.Clients.Find(Existing(clientId)).Project(s_records).SingleOrDefaultAsync(CancellationToken.None));
        if (found is null)
        {
            return ReplaceOutcome.Gone;
        }
        if (found.GetValue("outbox", new BsonArray()).AsBsonArray.Count < MongoDbOutbox.MaxWaiting)
        {
            return ReplaceOutcome.VersionConflict;
        }
        // It is changed faster than its records are moved: whoever does that moves them.
        await MongoDbFault.GuardAsync(() => outbox.MoveAsync([clientId], CancellationToken.None));
        return await TryChangeAsync(clientId, version, condition, change, record, grounds, CancellationToken.None) switch
        {
            EffectOutcome.Done => ReplaceOutcome.Done,
            EffectOutcome.GroundsChanged => ReplaceOutcome.GroundsChanged,
            _ => ReplaceOutcome.VersionConflict,
        };
    }

    private async Task<EffectOutcome> TryChangeAsync(
        string clientId,
        long version,
        FilterDefinition<BsonDocument> condition,
        UpdateDefinition<BsonDocument> change,
        AuditRecord record,
        Grounds grounds,
        CancellationToken cancellationToken)
    {
        var own = grounds.Clients.Where(ground => ground.ClientId == clientId).ToList();
        var where = own.Aggregate(
            Existing(clientId) & Where.Eq("version", version) & s_hasRoom & condition,
            (all, ground) => all & MongoDbClientDocument.Where(ground));
        var others = grounds with { Clients = [.. grounds.Clients.Except(own)] };
        var outcome = await effects.UpdateAsync(storage.Clients, where, Recorded(change, record), others, cancellationToken);
        if (outcome == EffectOutcome.Done)
        {
            worker.Notify(clientId);
        }
        return outcome;
    }

    public static FilterDefinition<BsonDocument> Existing(string clientId) => Where.Eq("_id", clientId) & Where.Gte("status", 0);

    public static UpdateDefinition<BsonDocument> Recorded(UpdateDefinition<BsonDocument> change, AuditRecord record) => Set.Combine(
        change, Set.Push("outbox", MongoDbAuditDocument.Of(record)), Set.Max("outbox_since", record.At.ToUnixTimeMilliseconds()));

    /// <summary>
    /// The tokens of the client are dead with the same write. Their bit in the status list is set before this returns, and whatever was
    /// about to be done on the ground of this client is not done any more.
    /// </summary>
    private async Task<ReplaceOutcome> StopAsync(
        string clientId,
        long version,
        FilterDefinition<BsonDocument> condition,
        UpdateDefinition<BsonDocument> change,
        AuditRecord record,
        Grounds grounds,
        CancellationToken cancellationToken)
    {
        var stop = change.Rename(MongoDbStatusListStore.Index, MongoDbStatusListStore.UsedUp);
        var stopped = await ChangeAsync(clientId, version, condition & s_carriedOn, stop, record, grounds, cancellationToken);
        var wasInTheWay = await CarryOnAsync(clientId) && stopped == ReplaceOutcome.VersionConflict;
        if (wasInTheWay)
        {
            stopped = await ChangeAsync(clientId, version, condition & s_carriedOn, stop, record, grounds, cancellationToken);
            await CarryOnAsync(clientId);
        }
        if (stopped == ReplaceOutcome.Done)
        {
            await effects.VoidAsync([clientId]);
        }
        return stopped;
    }

    /// <summary>False: there was nothing to be carried on.</summary>
    private async Task<bool> CarryOnAsync(string clientId)
    {
        var withNote = Where.Eq("_id", clientId) & Where.Exists(MongoDbStatusListStore.UsedUp);
        var noted = await MongoDbFault.GuardAsync(() => storage.Clients.Find(withNote)
            .Project(Builders<BsonDocument>.Projection.Include(MongoDbStatusListStore.UsedUp)).ToListAsync(CancellationToken.None));
        await statuses.CarryOnAsync(noted, CancellationToken.None);
        return noted.Count > 0;
    }

    /// <summary>A client that was live leaves room behind it; one that had ended before has done so then.</summary>
    private async Task<ReplaceOutcome> EndAsync(
        string clientId,
        long version,
        string? onboardingClient,
        FilterDefinition<BsonDocument> condition,
        UpdateDefinition<BsonDocument> change,
        AuditRecord record,
        Grounds grounds,
        CancellationToken cancellationToken)
    {
        if (onboardingClient is not null)
        {
            var ended = await StopAsync(
                clientId, version, s_live & condition, change.Set("release", version + 1), record, grounds, cancellationToken);
            if (ended == ReplaceOutcome.Done)
            {
                await counts.ReleaseAsync(onboardingClient, CancellationToken.None);
                return ReplaceOutcome.Done;
            }
            if (ended == ReplaceOutcome.GroundsChanged)
            {
                return ended;
            }
        }
        return await StopAsync(
            clientId,
            version,
            onboardingClient is null ? condition : Where.Not(s_live) & condition,
            change,
            record,
            grounds,
            cancellationToken);
    }
}
