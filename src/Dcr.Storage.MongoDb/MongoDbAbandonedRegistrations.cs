using Dcr.Clients;
using Dcr.Protocol;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// Registrations and revivals of nodes that ended in the middle (decision 0006): nobody can become live by them any more, and the
/// room that was taken for them is given up.
/// </summary>
internal sealed class MongoDbAbandonedRegistrations(MongoDbStorage storage, MongoDbRegistrationCounts counts, TimeProvider time)
{
    /// <summary>Longer than any registration takes; one that takes longer after all finds its client id fenced off.</summary>
    public static readonly TimeSpan After = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan s_fenceLife = TimeSpan.FromDays(1);

    private readonly SeenUnchanged _seen = new(time);

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    /// <summary>
    /// Finishes what nodes that ended left half-done: what this node has seen stand for so long, whatever time the others had.
    /// </summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var reserving = await storage.RegistrationCounts.Find(Where.Gt("reserved.at", long.MinValue)).ToListAsync(cancellationToken);
        _seen.KeepOnly(
            reserving.SelectMany(count => count["reserved"].AsBsonArray)
                .Select(entry => entry["_id"].AsString)
                .ToHashSet(StringComparer.Ordinal));
        foreach (var count in reserving)
        {
            foreach (var reserved in count["reserved"].AsBsonArray.Where(entry => _seen.For(entry["_id"].AsString, "") >= After))
            {
                await ResolveAsync(count["_id"].AsString, reserved["client_id"].AsString, reserved["_id"].AsString, cancellationToken);
            }
        }
        var waiting = await storage.Clients.Distinct<string>(
            "onboarding_client", Where.Gt("release", 0L), cancellationToken: cancellationToken).ToListAsync(cancellationToken);
        foreach (var onboardingClient in waiting)
        {
            await counts.ReleaseAsync(onboardingClient, cancellationToken);
        }
    }

    /// <summary>Makes sure that nobody can become a client under this id any more. False: somebody has.</summary>
    public async Task<bool> TryFenceAsync(string clientId, CancellationToken cancellationToken)
    {
        // By the clock of the database, which takes the fence down: by one that is a day behind it would do so at once.
        var until = (await storage.ReadTimeAsync(cancellationToken) ?? time.GetUtcNow()) + s_fenceLife;
        try
        {
            await MongoDbFault.GuardAsync(() => storage.Clients.InsertOneAsync(Fence(clientId, until), options: null, cancellationToken));
            return true;
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            // A client that is only announced becomes the fence: the update that would make it finds nothing to make.
            var pending = Where.Eq("_id", clientId) & Where.Eq("status", MongoDbEffects.Pending);
            var fenced = await MongoDbFault.GuardAsync(
                () => storage.Clients.ReplaceOneAsync(pending, Fence(clientId, until), cancellationToken: cancellationToken));
            return fenced.MatchedCount == 1
                || await MongoDbFault.GuardAsync(
                    () =>
                        storage.Clients.Find(
                            Where.Eq("_id", clientId) & Where.Exists(MongoDbClientDocument.FenceUntil)).AnyAsync(cancellationToken));
        }
    }

    private static BsonDocument Fence(string clientId, DateTimeOffset until) => new("_id", clientId)
    {
        { "status", MongoDbClientDocument.Tombstone },
        { "version", 0L },
        { MongoDbClientDocument.FenceUntil, until.UtcDateTime },
    };

    /// <summary>Room was taken for this client long ago: it became live with it, or it is made sure that it does not.</summary>
    private async Task ResolveAsync(string onboardingClient, string clientId, string reservation, CancellationToken cancellationToken)
    {
        if (await TryFenceAsync(clientId, cancellationToken))
        {
            await counts.CancelAsync(onboardingClient, reservation, cancellationToken);
            return;
        }
        var client = await storage.Clients.Find(Where.Eq("_id", clientId)).SingleOrDefaultAsync(cancellationToken);
        if (client is null)
        {
            // Gone just now: the next sweep fences it.
            return;
        }
        if (client.GetValue("reservation", BsonNull.Value) == reservation)
        {
            await counts.SettleAsync(onboardingClient, [reservation], cancellationToken);
            return;
        }
        // A revival that came to nothing: the next version keeps it from coming to something late.
        var fenced = client["status"] != (int)ClientStatus.Expired || await TryAgeAsync(client, cancellationToken);
        if (fenced)
        {
            await counts.CancelAsync(onboardingClient, reservation, cancellationToken);
        }
    }

    private async Task<bool> TryAgeAsync(BsonDocument client, CancellationToken cancellationToken)
    {
        var aged = await storage.Clients.UpdateOneAsync(
            Where.Eq("_id", client["_id"]) & Where.Eq("version", client["version"]),
            Builders<BsonDocument>.Update.Inc("version", 1L),
            cancellationToken: cancellationToken);
        return aged.MatchedCount == 1;
    }
}
