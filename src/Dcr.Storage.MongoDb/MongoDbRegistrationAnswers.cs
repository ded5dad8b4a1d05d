using Dcr.Protocol;
using Dcr.Registration;
using MongoDB.Bson;
using MongoDB.Driver;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// What requests with an idempotency key were answered. The answer is written down before the client is made, as a claim on the
/// key, and stands once there is that client. A request that finds a claim goes on with it, whether or not somebody else is at it too:
/// every step of a registration under a claim can be repeated, so of parallel requests one client comes, and nobody waits for a request
/// that was cut.
/// </summary>
internal sealed class MongoDbRegistrationAnswers(MongoDbStorage storage, MongoDbAbandonedRegistrations abandoned, TimeProvider time)
{
    private const int MaxAttempts = 100;

    // Claims that are watched; those that are not watched any more begin anew.
    private const int MaxWatched = 10_000;

    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(50);

    private readonly SeenUnchanged _claims = new(time, MaxWatched);

    private static FilterDefinitionBuilder<BsonDocument> Where => Builders<BsonDocument>.Filter;

    /// <summary>Claims the key for this client.</summary>
    /// <returns>Claimed, now or by an earlier call for the same client; else the answer that stands, or the claim to go on with.</returns>
    public async Task<ClaimOutcome> ClaimAsync(RegistrationAnswer answer, string clientId, CancellationToken cancellationToken)
    {
        var claim = Document(answer, clientId);
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            if (await TryInsertAsync(claim, cancellationToken))
            {
                return new ClaimOutcome.Claimed(IsNew: true);
            }
            if (await ReadAsync(answer.Key, cancellationToken) is not { } other)
            {
                continue;
            }
            if (IsCurrent(other) && await StandsAsync(other, cancellationToken))
            {
                return new ClaimOutcome.Stands(new RegisterClientOutcome.AnsweredBefore(Read(other)));
            }
            var isOwn = other["client_id"] == clientId;
            if (!isOwn && IsCurrent(other) && !await IsGivenUpAsync(other, answer, cancellationToken))
            {
                return new ClaimOutcome.Stands(new RegisterClientOutcome.UnderWay(Read(other)));
            }
            // What is registered may have been judged by another policy than the first time.
            var unfinished = Claim(answer.Key, other["client_id"].AsString) & Where.Eq("done", false);
            var taken = await MongoDbFault.GuardAsync(() => storage.RegistrationAnswers.ReplaceOneAsync(
                IsCurrent(other)
                    ? unfinished
                    : Claim(answer.Key, other["client_id"].AsString), claim, cancellationToken: CancellationToken.None));
            if (taken.MatchedCount == 1)
            {
                return new ClaimOutcome.Claimed(IsNew: !isOwn);
            }
        }
        throw new StoreUnavailableException("A registration with the same idempotency key is under way and does not end.");
    }

    /// <summary>
    /// A claim of somebody who cannot be told from a stranger is taken over once this node has seen it stand for long, whatever the
    /// clocks of the nodes say, and no client can come of it any more.
    /// </summary>
    private async Task<bool> IsGivenUpAsync(BsonDocument other, RegistrationAnswer answer, CancellationToken cancellationToken)
    {
        var begun = Read(other);
        var isSameCaller = begun.InitialTokenJti == answer.InitialTokenJti
            || (begun.ProvedBy is not null && begun.ProvedBy == answer.ProvedBy);
        return !isSameCaller
            && _claims.For(begun.Key, begun.ClientId) >= MongoDbAbandonedRegistrations.After
            && await abandoned.TryFenceAsync(begun.ClientId, cancellationToken);
    }

    /// <summary>Null: no answer stands under this key.</summary>
    public async Task<RegistrationAnswer?> FindAsync(string key, CancellationToken cancellationToken) =>
        await ReadAsync(key, cancellationToken) is { } found && IsCurrent(found) && await StandsAsync(found, cancellationToken)
            ? Read(found)
            : null;

    /// <summary>There is the client: from now on the answer stands whatever becomes of it.</summary>
    public Task FinishAsync(string key, string clientId) => MongoDbFault.GuardAsync(() =>
        storage.RegistrationAnswers.UpdateOneAsync(Claim(key, clientId), Builders<BsonDocument>.Update.Set("done", true)));

    /// <summary>Whether whoever made the client has noted it. Waits a moment for that.</summary>
    public async Task<bool> IsFinishedAsync(string key, string clientId)
    {
        for (var attempt = 0; attempt < 10; attempt++)
        {
            var done = Claim(key, clientId) & Where.Eq("done", true);
            if (await MongoDbFault.GuardAsync(() => storage.RegistrationAnswers.Find(done).AnyAsync()))
            {
                return true;
            }
            await Task.Delay(s_pause);
        }
        return false;
    }

    /// <summary>The request was refused: a repeated one is judged anew.</summary>
    public Task AbandonAsync(string key, string clientId) =>
        MongoDbFault.GuardAsync(() => storage.RegistrationAnswers.DeleteOneAsync(Claim(key, clientId) & Where.Eq("done", false)));

    private static FilterDefinition<BsonDocument> Claim(string key, string clientId) =>
        Where.Eq("_id", key) & Where.Eq("client_id", clientId);

    // The server forgets late; what has expired is not there.
    private bool IsCurrent(BsonDocument found) => found["expires_at"].ToUniversalTime() >= time.GetUtcNow().UtcDateTime;

    private async Task<bool> StandsAsync(BsonDocument found, CancellationToken cancellationToken) =>
        found["done"].AsBoolean
            || await MongoDbFault.GuardAsync(
                () => storage.Clients.Find(MongoDbClientChange.Existing(found["client_id"].AsString)).AnyAsync(cancellationToken));

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
        MongoDbFault.GuardAsync<BsonDocument?>(
            () => storage.RegistrationAnswers.Find(Where.Eq("_id", key)).SingleOrDefaultAsync(cancellationToken)!);

    private static BsonDocument Document(RegistrationAnswer answer, string clientId) => new("_id", answer.Key)
    {
        { "client_id", clientId },
        { "done", false },
        { "body_hash", answer.BodyHash },
        { "protected_answer", answer.ProtectedAnswer },
        { "initial_token_jti", answer.InitialTokenJti is null ? BsonNull.Value : answer.InitialTokenJti },
        { "proved_by", answer.ProvedBy is null ? BsonNull.Value : answer.ProvedBy },
        { "expires_at", answer.ExpiresAt.UtcDateTime },
    };

    private static RegistrationAnswer Read(BsonDocument document) => new(
        document["_id"].AsString,
        document["body_hash"].AsString,
        document["protected_answer"].AsString,
        document["proved_by"] is BsonString thumbprint ? thumbprint.Value : null,
        document["client_id"].AsString,
        document.GetValue("initial_token_jti", BsonNull.Value) is BsonString jti ? jti.Value : null,
        new DateTimeOffset(document["expires_at"].ToUniversalTime(), TimeSpan.Zero));
}

/// <summary>What became of a claim on an idempotency key.</summary>
internal abstract record ClaimOutcome
{
    /// <param name="IsNew">True: nobody has begun with this client before. False: an earlier call may have come to any step.</param>
    public sealed record Claimed(bool IsNew) : ClaimOutcome;

    /// <param name="Outcome">The answer that stands, or the claim to go on with.</param>
    public sealed record Stands(RegisterClientOutcome Outcome) : ClaimOutcome;
}
