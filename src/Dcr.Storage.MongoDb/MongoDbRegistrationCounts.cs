using System.Security.Cryptography;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// How many live clients each onboarding client has, in one document for each (decision 0006). The count and the clients
/// change in separate writes, so the count is never below the truth: room is taken before a client becomes live and
/// given up after it has stopped. What a crash leaves half-done is written down where it began, for
/// <see cref="MongoDbAbandonedRegistrations"/>.
/// </summary>
internal sealed class MongoDbRegistrationCounts(MongoDbStorage storage, TimeProvider time)
{
    private static readonly int[] s_liveStatuses = [(int)ClientStatus.Active, (int)ClientStatus.Suspended];
    private const int ReleasedAtOnce = 200;
    private const int MaxAttempts = 1000;
    private static readonly TimeSpan s_lockLife = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_lockPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_lockPause = TimeSpan.FromMilliseconds(20);

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    private readonly SeenUnchanged _locks = new(time);

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    // As RegistrationLimits.EndOfHour says it.
    private FilterDefinition<BsonDocument> InHour =>
        Where.Gt("hour_began_at", Now - (long)RegistrationLimits.Window.TotalMilliseconds)
        & Where.Lt("hour_began_at", Now + (long)RegistrationLimits.Window.TotalMilliseconds);

    /// <summary>Marks room that is taken; a client keeps the mark that it became live with.</summary>
    public static string NewReservation() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Null when there is room. Changes nothing.</summary>
    public async Task<RegisterClientOutcome?> FaultAsync(RegistrationLimits limits, CancellationToken cancellationToken)
    {
        var found = await FindAsync(limits.OnboardingClient, cancellationToken);
        return Fault(found, found is null ? await CountAsync(limits.OnboardingClient, cancellationToken) : found["live"].AsInt64, limits);
    }

    public async Task<long> LiveAsync(string onboardingClient, CancellationToken cancellationToken) =>
        await FindAsync(onboardingClient, cancellationToken) is { } found
            ? found["live"].AsInt64
            : await CountAsync(onboardingClient, cancellationToken);

    /// <summary>Takes room for one client, before it becomes live. Null: taken, under this reservation; else nothing was.</summary>
    public async Task<RegisterClientOutcome?> ReserveAsync(
        RegistrationLimits limits, string clientId, string reservation, bool countsForHour, CancellationToken cancellationToken)
    {
        var taken = Set.Inc("live", 1L).Push(
            "reserved", new BsonDocument { { "_id", reservation }, { "client_id", clientId }, { "at", Now } });
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var room = Where.Eq("_id", limits.OnboardingClient);
            if (limits.MaxLiveClients is { } mostLive)
            {
                room &= Where.Lt("live", mostLive);
            }
            if (countsForHour)
            {
                room &= InHour;
                room &= limits.MaxRegistrationsPerHour is { } mostInHour ? Where.Lt("in_hour", mostInHour) : Where.Empty;
            }
            var changed = await UpdateAsync(room, countsForHour ? taken.Inc("in_hour", 1L) : taken, cancellationToken);
            if (changed.MatchedCount == 1)
            {
                return null;
            }
            var found = await FindAsync(limits.OnboardingClient, cancellationToken);
            if (found is null)
            {
                await BeginAsync(limits.OnboardingClient, cancellationToken);
            }
            else if (
                Fault(found, found["live"].AsInt64, countsForHour ? limits : limits with { MaxRegistrationsPerHour = null }) is { } fault)
            {
                return fault;
            }
            else
            {
                await BeginHourAsync(found, cancellationToken);
            }
        }
        throw new InvalidOperationException($"No room could be taken or refused in {MaxAttempts} attempts.");
    }

    /// <summary>The room that was taken for this client before and no client became live with yet. Null: none.</summary>
    public async Task<string?> FindReservationAsync(string onboardingClient, string clientId, CancellationToken cancellationToken) =>
        (
            await FindAsync(
                onboardingClient,
                cancellationToken))?["reserved"].AsBsonArray.FirstOrDefault(entry => entry["client_id"] == clientId)?["_id"].AsString;

    /// <summary>Clients have become live with these reservations: nothing is left to be done.</summary>
    public Task SettleAsync(string onboardingClient, IEnumerable<string> reservations, CancellationToken cancellationToken) =>
        UpdateAsync(Where.Eq("_id", onboardingClient), Settle(reservations), cancellationToken);

    /// <summary>Gives up room that no client became live with. Once: the reservation and the count go together.</summary>
    public Task CancelAsync(string onboardingClient, string reservation, CancellationToken cancellationToken) => UpdateAsync(
        Where.Eq("_id", onboardingClient) & Where.Eq("reserved._id", reservation), Set.Combine(
            Set.Inc("live", -1L), Settle([reservation])), cancellationToken);

    /// <summary>
    /// Gives up the room of every client of this onboarding client that has stopped being live. One node at a time, by a lock that
    /// ends on its own; one that was overtaken changes nothing any more. Where another holds it for long, it is left to that one and the
    /// sweep.
    /// </summary>
    public async Task ReleaseAsync(string onboardingClient, CancellationToken cancellationToken)
    {
        var holder = RandomNumberGenerator.GetHexString(32, lowercase: true);
        for (var waited = TimeSpan.Zero; waited < s_lockPatience; waited += s_lockPause)
        {
            if (await TryLockAsync(onboardingClient, holder, cancellationToken) is { } count)
            {
                await ReleaseAsync(count, holder, cancellationToken);
                return;
            }
            if ((await ListStoppedAsync(onboardingClient, limit: 1, cancellationToken)).Count == 0)
            {
                return;
            }
            await Task.Delay(s_lockPause, cancellationToken);
        }
    }

    private async Task ReleaseAsync(BsonDocument count, string holder, CancellationToken cancellationToken)
    {
        var onboardingClient = count["_id"].AsString;
        var locked = Where.Eq("_id", onboardingClient) & Where.Eq("lock", holder);
        // What an earlier holder has counted and could not finish comes first.
        await UnmarkAsync(count.GetValue("releasing", new BsonArray()).AsBsonArray, cancellationToken);
        int stopped;
        do
        {
            var next = await ListStoppedAsync(onboardingClient, ReleasedAtOnce, cancellationToken);
            stopped = next.Count;
            var releasing = new BsonArray(
                next.Select(client => new BsonDocument { { "client_id", client["_id"] }, { "release", client["release"] } }));
            var counted = Set.Combine(
                Set.Inc("live", -(long)stopped).Set("releasing", releasing),
                Settle(
                    next.Select(client => client.GetValue("reservation", BsonNull.Value))
                        .OfType<BsonString>()
                        .Select(reservation => reservation.Value)));
            if (stopped > 0 && (await UpdateAsync(locked, counted, cancellationToken)).MatchedCount == 0)
            {
                return;
            }
            await UnmarkAsync(releasing, cancellationToken);
        }
        while (stopped == ReleasedAtOnce);
        await UpdateAsync(locked, Set.Set("releasing", new BsonArray()).Unset("lock"), cancellationToken);
    }

    private RegisterClientOutcome? Fault(BsonDocument? count, long live, RegistrationLimits limits)
    {
        if (live >= limits.MaxLiveClients)
        {
            return new RegisterClientOutcome.TooManyLiveClients();
        }
        var now = time.GetUtcNow();
        var endsAt = count is null
            ? null
            : RegistrationLimits.EndOfHour(DateTimeOffset.FromUnixTimeMilliseconds(count["hour_began_at"].AsInt64), now);
        var inHour = endsAt is null ? 0 : count!["in_hour"].AsInt64;
        return inHour >= limits.MaxRegistrationsPerHour
            ? new RegisterClientOutcome.TooManyThisHour(endsAt ?? now + RegistrationLimits.Window)
            : null;
    }

    /// <summary>
    /// Begins the document with the clients there are: none, or those of an earlier version that did not count. Nobody can take or
    /// give up room before there is the document, so nothing is missed meanwhile.
    /// </summary>
    private async Task BeginAsync(string onboardingClient, CancellationToken cancellationToken)
    {
        var live = await CountAsync(onboardingClient, cancellationToken);
        try
        {
            await MongoDbFault.GuardAsync(() => storage.RegistrationCounts.InsertOneAsync(
                new BsonDocument("_id", onboardingClient)
                {
                    { "live", live },
                    { "hour_began_at", 0L },
                    { "in_hour", 0L },
                    { "reserved", new BsonArray() },
                },
                options: null,
                cancellationToken));
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            // Begun by another at this moment.
        }
    }

    private Task BeginHourAsync(BsonDocument found, CancellationToken cancellationToken) => UpdateAsync(
        Where.Eq("_id", found["_id"]) & Where.Eq("hour_began_at", found["hour_began_at"]) & Where.Not(InHour),
        Set.Set("hour_began_at", Now).Set("in_hour", 0L),
        cancellationToken);

    /// <summary>How many clients hold room, by the clients themselves.</summary>
    private Task<long> CountAsync(string onboardingClient, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => storage.Clients.CountDocumentsAsync(
        Where.Eq("onboarding_client", onboardingClient) & (
            Where.In("status", s_liveStatuses) | Where.Gt("release", 0L)), cancellationToken: cancellationToken));

    /// <summary>The document, if it could be locked.</summary>
    private async Task<BsonDocument?> TryLockAsync(string onboardingClient, string holder, CancellationToken cancellationToken)
    {
        if (await LockAsync(Where.Eq("_id", onboardingClient) & Where.Exists("lock", false), holder, cancellationToken) is { } locked)
        {
            return locked;
        }
        if (await FindAsync(onboardingClient, cancellationToken) is not { } found)
        {
            await BeginAsync(onboardingClient, cancellationToken);
            return null;
        }
        // Each holder has a name of its own: one that has stood for so long has ended in the middle.
        return found.GetValue("lock", BsonNull.Value) is BsonString other && _locks.For(onboardingClient, other.Value) >= s_lockLife
            ? await LockAsync(Where.Eq("_id", onboardingClient) & Where.Eq("lock", other), holder, cancellationToken)
            : null;
    }

    private Task<BsonDocument?> LockAsync(FilterDefinition<BsonDocument> free, string holder, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync<BsonDocument?>(
            () => storage.RegistrationCounts.FindOneAndUpdateAsync(free, Set.Set("lock", holder), options: null, cancellationToken)!);

    /// <summary>Clients that are no longer live and still hold room.</summary>
    private Task<List<BsonDocument>> ListStoppedAsync(string onboardingClient, int limit, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() =>
        storage.Clients.Find(Where.Gt("release", 0L) & Where.Eq("onboarding_client", onboardingClient))
            .Project(Builders<BsonDocument>.Projection.Include("release").Include("reservation"))
                .Limit(limit)
                .ToListAsync(cancellationToken));

    // Its version tells this release from a later one of the same client.
    private Task UnmarkAsync(BsonArray released, CancellationToken cancellationToken) => released.Count == 0
        ? Task.CompletedTask
        : MongoDbFault.GuardAsync(() => storage.Clients.BulkWriteAsync(
            released.GroupBy(entry => entry["release"], entry => entry["client_id"])
                .Select(
                    clients =>
                        new UpdateManyModel<BsonDocument>(
                            Where.In("_id", clients) & Where.Eq("release", clients.Key), Set.Unset("release"))),
            new BulkWriteOptions { IsOrdered = false },
            cancellationToken));

    private static UpdateDefinition<BsonDocument> Settle(IEnumerable<string> reservations) =>
        Set.PullFilter<BsonDocument>("reserved", Where.In("_id", reservations));

    private Task<BsonDocument?> FindAsync(string onboardingClient, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync<BsonDocument?>(
            () => storage.RegistrationCounts.Find(Where.Eq("_id", onboardingClient)).SingleOrDefaultAsync(cancellationToken)!);

    private Task<UpdateResult> UpdateAsync(
        FilterDefinition<BsonDocument> where, UpdateDefinition<BsonDocument> change, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => storage.RegistrationCounts.UpdateOneAsync(where, change, cancellationToken: cancellationToken));
}
