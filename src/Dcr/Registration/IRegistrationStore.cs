using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Registration;

/// <summary>
/// Where registrations become clients. Durable when a call returns; a store that cannot be reached throws
/// <see cref="StoreUnavailableException"/>.
/// </summary>
public interface IRegistrationStore
{
    /// <summary>
    /// Adds the client, if the initial access token and the software statement have a use left and the limits leave room, and uses them up.
    /// Each limit is atomic: of parallel calls on any nodes no more succeed than it allows. A crash in between may cost one
    /// use; it never leaves a client that was not counted. The client is added only if the grounds still hold in the very step that
    /// makes it active: after whoever ended one of them has been told so, no client comes to be that rests on it. With an
    /// <see cref="NewRegistration.Answer"/>, of all calls with its key one client is added and every other call gets that one's answer;
    /// a call that was cut in the middle is gone on with, by a call with the same key, client id and answer. An answer that is there is
    /// given whatever has been used up since.
    /// </summary>
    Task<RegisterClientOutcome> RegisterAsync(NewRegistration registration, CancellationToken cancellationToken);

    /// <summary>What <see cref="RegisterAsync"/> would come to. Changes nothing.</summary>
    Task<RegisterClientOutcome> TryOutAsync(InitialAccessTokenUse use, RegistrationLimits limits, CancellationToken cancellationToken);

    /// <summary>How many clients of this onboarding client are active or suspended.</summary>
    Task<long> CountLiveAsync(string onboardingClient, CancellationToken cancellationToken);

    /// <summary>The answer that was given under this key. Null: none, or it has expired.</summary>
    Task<RegistrationAnswer?> FindAnswerAsync(string key, CancellationToken cancellationToken);
}

/// <summary>A client to be registered, and what has to be counted, remembered and recorded with it.</summary>
public sealed record NewRegistration
{
    public required Client Client { get; init; }

    public required InitialAccessTokenUse Use { get; init; }

    /// <summary>Of the onboarding client that is the client's origin.</summary>
    public required RegistrationLimits Limits { get; init; }

    /// <summary>The initial access token, and the onboarding client with the policy that the registration was judged by.</summary>
    public required Grounds Grounds { get; init; }

    /// <summary>To be given again to a repeated request. Null: the request has no idempotency key.</summary>
    public RegistrationAnswer? Answer { get; init; }

    public required AuditRecord Record { get; init; }
}

/// <summary>One use of an initial access token, to be counted.</summary>
/// <param name="Jti">The token's <c>jti</c>.</param>
/// <param name="MaxUses">How many clients it may make in all.</param>
/// <param name="ExpiresAt">When the token is refused anyway, and the count may be forgotten.</param>
public sealed record InitialAccessTokenUse(string Jti, int MaxUses, DateTimeOffset ExpiresAt)
{
    /// <summary>The software statement that is used with it. Null: none whose uses are counted.</summary>
    public StatementUse? Statement { get; init; }
}

/// <summary>One use of a software statement, to be counted as those of initial access tokens are.</summary>
/// <param name="Key">SHA-256 of onboarding client, <c>iss</c> and <c>jti</c>.</param>
/// <param name="MaxUses">How many clients it may make in all.</param>
/// <param name="ExpiresAt">When the statement is refused anyway, and the count may be forgotten.</param>
public sealed record StatementUse(string Key, int MaxUses, DateTimeOffset ExpiresAt);

/// <summary>What a request with an idempotency key was answered.</summary>
/// <param name="Key">SHA-256 of the caller and its idempotency key.</param>
/// <param name="BodyHash">SHA-256 of the request's body.</param>
/// <param name="ProtectedAnswer">Encrypted: it holds a registration access token.</param>
/// <param name="ProvedBy">The thumbprint of the key that the request was proved with, by DPoP. Null: with none.</param>
/// <param name="ClientId">The client that it tells of.</param>
/// <param name="InitialTokenJti">The <c>jti</c> of the initial access token it was given to. Null: it was given by an earlier version of
/// this server.</param>
/// <param name="ExpiresAt">When it may be forgotten.</param>
public sealed record RegistrationAnswer(
    string Key,
    string BodyHash,
    string ProtectedAnswer,
    string? ProvedBy,
    string ClientId,
    string? InitialTokenJti,
    DateTimeOffset ExpiresAt);

public abstract record RegisterClientOutcome
{
    public sealed record Registered : RegisterClientOutcome;

    /// <summary>The initial access token has been used as often as its policy allows.</summary>
    public sealed record TokenUsedUp : RegisterClientOutcome;

    /// <summary>The software statement has made as many clients as its policy allows.</summary>
    public sealed record StatementUsedUp : RegisterClientOutcome;

    public sealed record TooManyLiveClients : RegisterClientOutcome;

    /// <param name="Until">When the hour ends.</param>
    public sealed record TooManyThisHour(DateTimeOffset Until) : RegisterClientOutcome;

    /// <summary>The same key was used before; nothing was counted or added.</summary>
    public sealed record AnsweredBefore(RegistrationAnswer Answer) : RegisterClientOutcome;

    /// <summary>
    /// A call with the same key and another client id has begun and has not ended, or never will; nothing was counted or added. Call again
    /// with its client id to go on with it.
    /// </summary>
    public sealed record UnderWay(RegistrationAnswer Answer) : RegisterClientOutcome;

    /// <summary>What the registration rests on does not hold any more; nothing was added.</summary>
    public sealed record GroundsChanged : RegisterClientOutcome;
}
