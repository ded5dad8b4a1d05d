using Dcr.Protocol;
using Dcr.Registration;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>
/// What requests with an idempotency key were answered. The answer is written down before the client is made, as a claim on the
/// key, and stands once there is that client: so of parallel requests one makes a client and the others wait for it.
/// </summary>
internal sealed class MongoDbRegistrationAnswers(MongoDbStorage storage, MongoDbAbandonedRegistrations abandoned, TimeProvider time)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(25);

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Claims the key for this client. Null: claimed; else the answer that stands already.</summary>
    public async Task<RegistrationAnswer?> ClaimAsync(RegistrationAnswer answer, string clientId, CancellationToken cancellationToken)
    {
        var claim = Document(answer, clientId);
        for (var waited = TimeSpan.Zero; waited < s_patience; waited += s_pause)
        {
            if (await TryInsertAsync(claim, cancellationToken))
            {
                return null;
            }
            if (await ReadAsync(answer.Key, cancellationToken) is not { } other)
            {
                continue;
            }
            if (IsCurrent(other) && await StandsAsync(other, cancellationToken))
            {
                return Read(other);
            }
            var isAbandoned = other["claimed_at"].AsInt64 < Now - (long)MongoDbAbandonedRegistrations.After.TotalMilliseconds;
            if (!IsCurrent(other) || (isAbandoned && await abandoned.TryFenceAsync(other["client_id"].AsString, cancellationToken)))
            {
                var taken = await MongoDbFault.GuardAsync(() => storage.RegistrationAnswers.ReplaceOneAsync(Claim(answer.Key, other["client_id"].AsString), claim, cancellationToken: cancellationToken));
                if (taken.MatchedCount == 1)
                {
                    return null;
                }
            }
            await Task.Delay(s_pause, cancellationToken);
        }
        throw new StoreUnavailableException("A registration with the same idempotency key is under way and does not end.");
    }

    /// <summary>Null: no answer stands under this key.</summary>
    public async Task<RegistrationAnswer?> FindAsync(string key, CancellationToken cancellationToken) =>
        await ReadAsync(key, cancellationToken) is { } found && IsCurrent(found) && await StandsAsync(found, cancellationToken) ? Read(found) : null;

    /// <summary>There is the client: from now on the answer stands whatever becomes of it.</summary>
    public Task FinishAsync(string key, string clientId, CancellationToken cancellationToken) => MongoDbFault.GuardAsync(() =>
        storage.RegistrationAnswers.UpdateOneAsync(Claim(key, clientId), Builders<BsonDocument>.Update.Set("done", true), cancellationToken: cancellationToken));

    /// <summary>The request was refused: a repeated one is judged anew.</summary>
    public Task AbandonAsync(string key, string clientId, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync(() => storage.RegistrationAnswers.DeleteOneAsync(Claim(key, clientId), cancellationToken));

    private static FilterDefinition<BsonDocument> Claim(string key, string clientId) => Where.Eq("_id", key) & Where.Eq("client_id", clientId);

    // The server forgets late; what has expired is not there.
    private bool IsCurrent(BsonDocument found) => found["expires_at"].ToUniversalTime() >= time.GetUtcNow().UtcDateTime;

    private async Task<bool> StandsAsync(BsonDocument found, CancellationToken cancellationToken) =>
        found["done"].AsBoolean || await MongoDbFault.GuardAsync(() => storage.Clients.Find(MongoDbClientChange.Existing(found["client_id"].AsString)).AnyAsync(cancellationToken));

    private async Task<bool> TryInsertAsync(BsonDocument claim, CancellationToken cancellationToken)
    {
        try
        {
            await MongoDbFault.GuardAsync(() => storage.RegistrationAnswers.InsertOneAsync(claim, options: null, cancellationToken));
            return true;
        }
        catch (MongoWriteException exception) when (MongoDbFault.IsDuplicateKey(exception))
        {
            return false;
        }
    }

    private Task<BsonDocument?> ReadAsync(string key, CancellationToken cancellationToken) =>
        MongoDbFault.GuardAsync<BsonDocument?>(() => storage.RegistrationAnswers.Find(Where.Eq("_id", key)).SingleOrDefaultAsync(cancellationToken)!);

    private BsonDocument Document(RegistrationAnswer answer, string clientId) => new("_id", answer.Key)
    {
        { "client_id", clientId },
        { "claimed_at", Now },
        { "done", false },
        { "body_hash", answer.BodyHash },
        { "protected_answer", answer.ProtectedAnswer },
        { "proved_by", answer.ProvedBy is null ? BsonNull.Value : answer.ProvedBy },
        { "expires_at", answer.ExpiresAt.UtcDateTime },
    };

    private static RegistrationAnswer Read(BsonDocument document) => new(
        document["_id"].AsString,
        document["body_hash"].AsString,
        document["protected_answer"].AsString,
        document["proved_by"] is BsonString thumbprint ? thumbprint.Value : null,
        new DateTimeOffset(document["expires_at"].ToUniversalTime(), TimeSpan.Zero));
}
