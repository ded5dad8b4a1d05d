using System.Security.Cryptography;
using Dcr.Clients;
using Dcr.Registration;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>
/// How many live clients each onboarding client has, in one document for each (decision 0006). The count and the clients
/// change in separate writes, so the count is never below the truth: room is taken before a client becomes live and
/// given up after it has stopped. What a crash leaves half-done is written down where it began, and finished by any node.
/// </summary>
internal sealed class MongoDbRegistrationCounts(MongoDbStorage storage, TimeProvider time)
{
    private static readonly int[] s_liveStatuses = [(int)ClientStatus.Active, (int)ClientStatus.Suspended];
    private const int ReleasedAtOnce = 200;
    private const int MaxAttempts = 1000;
    private static readonly TimeSpan s_lockLife = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_lockPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_lockPause = TimeSpan.FromMilliseconds(20);

    // Longer than any registration takes; one that takes longer after all finds its client id fenced off.
    private static readonly TimeSpan s_abandonedAfter = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_fenceLife = TimeSpan.FromDays(1);

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private static UpdateDefinitionBuilder<BsonDocument> Set => Builders<BsonDocument>.Update;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Null when there is room. Changes nothing.</summary>
    public async Task<RegisterClientOutcome?> FaultAsync(RegistrationLimits limits, CancellationToken cancellationToken) =>
        Fault(await FindAsync(limits.OnboardingClient, cancellationToken), limits);

    public async Task<long> LiveAsync(string onboardingClient, CancellationToken cancellationToken) =>
        (await FindAsync(onboardingClient, cancellationToken))?["live"].AsInt64 ?? 0;

    /// <summary>Takes room for one client, before it becomes live. Null: taken; else nothing was.</summary>
    public async Task<RegisterClientOutcome?> ReserveAsync(RegistrationLimits limits, string clientId, bool countsForHour, CancellationToken cancellationToken)
    {
        var taken = Set.Inc("live", 1L).Push("reserved", new BsonDocument { { "client_id", clientId }, { "at", Now } });
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var room = Where.Eq("_id", limits.OnboardingClient);
            if (limits.MaxLiveClients is { } mostLive)
            {
                room &= Where.Lt("live", mostLive);
            }
            if (countsForHour)
            {
                room &= Where.Gt("hour_began_at", Now - (long)RegistrationLimits.Window.TotalMilliseconds);
                room &= limits.MaxRegistrationsPerHour is { } mostInHour ? Where.Lt("in_hour", mostInHour) : Where.Empty;
            }
            var changed = await UpdateAsync(room, countsForHour ? taken.Inc("in_hour", 1L) : taken, cancellationToken);
            if (changed.MatchedCount == 1)
            {
                return null;
            }
            var found = await FindAsync(limits.OnboardingClient, cancellationToken);
            if (Fault(found, countsForHour ? limits : limits with { MaxRegistrationsPerHour = null }) is { } fault)
            {
                return fault;
            }
            await BeginAsync(found, limits.OnboardingClient, cancellationToken);
        }
        throw new InvalidOperationException($"No room could be taken or refused in {MaxAttempts} attempts.");
    }

    /// <summary>Clients are live that room was taken for: nothing is left to be done.</summary>
    public Task SettleAsync(string onboardingClient, IEnumerable<string> clientIds, CancellationToken cancellationToken) => UpdateAsync(
        Where.Eq("_id", onboardingClient), Set.PullFilter<BsonDocument>("reserved", Where.In("client_id", clientIds)), cancellationToken);

    /// <summary>Gives up room that was taken for a client that did not become live. Once: the taking and the count go together.</summary>
    public Task CancelAsync(string onboardingClient, string clientId, CancellationToken cancellationToken) => UpdateAsync(
        Where.Eq("_id", onboardingClient) & Where.Eq("reserved.client_id", clientId),
        Set.Combine(Set.Inc("live", -1L), Set.PullFilter<BsonDocument>("reserved", Where.Eq("client_id", clientId))),
        cancellationToken);

    /// <summary>
    /// Gives up the room of every client of this onboarding client that has stopped being live. One node at a time, by a lock that
    /// ends by itself; one that was overtaken changes nothing any more. Where another holds it for long, it is left to that one and the sweep.
    /// </summary>
    public async Task ReleaseAsync(string onboardingClient, CancellationToken cancellationToken)
    {
        var holder = RandomNumberGenerator.GetHexString(32, lowercase: true);
        if (!await TryLockAsync(onboardingClient, holder, cancellationToken))
        {
            return;
        }
        var locked = Where.Eq("_id", onboardingClient) & Where.Eq("lock", holder);
        // What an earlier holder has counted and could not finish comes first.
        var counted = (await FindAsync(onboardingClient, cancellationToken))?.GetValue("releasing", new BsonArray()).AsBsonArray ?? [];
        while (true)
        {
            if (counted.Count > 0)
            {
                await storage.Clients.BulkWriteAsync(counted.Select(Released), new BulkWriteOptions { IsOrdered = false }, cancellationToken);
            }
            var next = await storage.Clients.Find(Where.Gt("release", 0L) & Where.Eq("onboarding_client", onboardingClient))
                .Project(Builders<BsonDocument>.Projection.Include("release")).Limit(ReleasedAtOnce).ToListAsync(cancellationToken);
            counted = [.. next.Select(client => new BsonDocument { { "client_id", client["_id"] }, { "release", client["release"] } })];
            var ids = next.Select(client => client["_id"].AsString);
            var change = next.Count == 0
                ? Set.Set("releasing", counted).Unset("lock").Unset("lock_until")
                : Set.Combine(Set.Inc("live", -(long)next.Count).Set("releasing", counted), Set.PullFilter<BsonDocument>("reserved", Where.In("client_id", ids)));
            var changed = await UpdateAsync(locked, change, cancellationToken);
            if (next.Count == 0 || changed.MatchedCount == 0)
            {
                return;
            }
        }
    }

    /// <summary>Finishes what nodes that ended left half-done.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var abandonedBefore = Now - (long)s_abandonedAfter.TotalMilliseconds;
        var counts = await storage.RegistrationCounts.Find(Where.Lt("reserved.at", abandonedBefore)).ToListAsync(cancellationToken);
        foreach (var count in counts)
        {
            foreach (var reserved in count["reserved"].AsBsonArray.Where(entry => entry["at"].AsInt64 < abandonedBefore))
            {
                await ResolveAsync(count["_id"].AsString, reserved["client_id"].AsString, cancellationToken);
            }
        }
        var waiting = await storage.Clients.Distinct<string>("onboarding_client", Where.Gt("release", 0L), cancellationToken: cancellationToken).ToListAsync(cancellationToken);
        foreach (var onboardingClient in waiting)
        {
            await ReleaseAsync(onboardingClient, cancellationToken);
        }
    }

    /// <summary>Makes sure that nobody can become a client under this id any more. False: somebody has.</summary>
    public async Task<bool> TryFenceAsync(string clientId, CancellationToken cancellationToken)
    {
        try
        {
            await MongoDbFault.GuardAsync(() => storage.Clients.InsertOneAsync(
                new BsonDocument("_id", clientId)
                {
                    { "status", MongoDbClientDocument.Tombstone },
                    { "version", 0L },
                    { MongoDbClientDocument.FenceUntil, (time.GetUtcNow() + s_fenceLife).UtcDateTime },
                },
                options: null,
                cancellationToken));
            return true;
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            return await MongoDbFault.GuardAsync(() => storage.Clients.Find(Where.Eq("_id", clientId) & Where.Exists(MongoDbClientDocument.FenceUntil)).AnyAsync(cancellationToken));
        }
    }

    /// <summary>Room was taken for this client long ago: it is live, or it is made sure that it does not become so.</summary>
    private async Task ResolveAsync(string onboardingClient, string clientId, CancellationToken cancellationToken)
    {
        if (await TryFenceAsync(clientId, cancellationToken))
        {
            await CancelAsync(onboardingClient, clientId, cancellationToken);
            return;
        }
        var client = await storage.Clients.Find(Where.Eq("_id", clientId)).SingleOrDefaultAsync(cancellationToken);
        if (client is null || client.Contains("release"))
        {
            // Gone just now, or it has stopped since: a release gives up its room.
            return;
        }
        if (s_liveStatuses.Contains(client["status"].AsInt32))
        {
            await SettleAsync(onboardingClient, [clientId], cancellationToken);
            return;
        }
        // A revival that came to nothing: the next version keeps it from coming to something late.
        var fenced = await storage.Clients.UpdateOneAsync(
            Where.Eq("_id", clientId) & Where.Eq("version", client["version"]), Set.Inc("version", 1L), cancellationToken: cancellationToken);
        if (fenced.MatchedCount == 1)
        {
            await CancelAsync(onboardingClient, clientId, cancellationToken);
        }
    }

    private RegisterClientOutcome? Fault(BsonDocument? count, RegistrationLimits limits)
    {
        var live = count?["live"].AsInt64 ?? 0;
        if (live >= limits.MaxLiveClients)
        {
            return new RegisterClientOutcome.TooManyLiveClients();
        }
        var now = time.GetUtcNow();
        var endsAt = count is null ? now : DateTimeOffset.FromUnixTimeMilliseconds(count["hour_began_at"].AsInt64) + RegistrationLimits.Window;
        var inHour = now < endsAt ? count!["in_hour"].AsInt64 : 0;
        return inHour >= limits.MaxRegistrationsPerHour ? new RegisterClientOutcome.TooManyThisHour(now < endsAt ? endsAt : now + RegistrationLimits.Window) : null;
    }

    /// <summary>
    /// Begins the document, or its next hour. It begins with the clients there are: none, or those of an earlier version that did
    /// not count. Nobody can take or give up room before there is the document, so nothing is missed meanwhile.
    /// </summary>
    private async Task BeginAsync(BsonDocument? found, string onboardingClient, CancellationToken cancellationToken)
    {
        if (found is not null)
        {
            await UpdateAsync(
                Where.Eq("_id", onboardingClient) & Where.Eq("hour_began_at", found["hour_began_at"]) & Where.Lte("hour_began_at", Now - (long)RegistrationLimits.Window.TotalMilliseconds),
                Set.Set("hour_began_at", Now).Set("in_hour", 0L),
                cancellationToken);
            return;
        }
        var live = await MongoDbFault.GuardAsync(() => storage.Clients.CountDocumentsAsync(
            Where.Eq("onboarding_client", onboardingClient) & (Where.In("status", s_liveStatuses) | Where.Gt("release", 0L)), cancellationToken: cancellationToken));
        try
        {
            await MongoDbFault.GuardAsync(() => storage.RegistrationCounts.InsertOneAsync(
                new BsonDocument("_id", onboardingClient) { { "live", live }, { "hour_began_at", Now }, { "in_hour", 0L }, { "reserved", new BsonArray() } },
                options: null,
                cancellationToken));
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            // Begun by another at this moment.
        }
    }

    private async Task<bool> TryLockAsync(string onboardingClient, string holder, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            var free = Where.Eq("_id", onboardingClient) & (Where.Exists("lock", false) | Where.Lt("lock_until", Now));
            var locked = await UpdateAsync(free, Set.Set("lock", holder).Set("lock_until", Now + (long)s_lockLife.TotalMilliseconds), cancellationToken);
            if (locked.MatchedCount == 1)
            {
                return true;
            }
            if (await FindAsync(onboardingClient, cancellationToken) is null)
            {
                await BeginAsync(found: null, onboardingClient, cancellationToken);
                continue;
            }
            if (time.GetElapsedTime(began) >= s_lockPatience)
            {
                return false;
            }
            await Task.Delay(s_lockPause, cancellationToken);
        }
    }

    // Its version tells this release from a later one of the same client.
    private static WriteModel<BsonDocument> Released(BsonValue entry) => new UpdateOneModel<BsonDocument>(
        Where.Eq("_id", entry["client_id"]) & Where.Eq("release", entry["release"]), Set.Unset("release"));

    private Task<BsonDocument?> FindAsync(string onboardingClient, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync<BsonDocument?>(() => storage.RegistrationCounts.Find(Where.Eq("_id", onboardingClient)).SingleOrDefaultAsync(cancellationToken)!);

    private Task<UpdateResult> UpdateAsync(FilterDefinition<BsonDocument> where, UpdateDefinition<BsonDocument> change, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => storage.RegistrationCounts.UpdateOneAsync(where, change, cancellationToken: cancellationToken));
}
