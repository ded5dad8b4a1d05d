using System.Text.Json;
using Dcr.AccessTokens;
using Dcr.Clients;
using Dcr.Jose;
using Dcr.Keys;
using Dcr.Proofs;
using Dcr.Protocol;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;

namespace Dcr.Registration;

/// <summary>An idempotency key as sent, and what it stands for.</summary>
/// <param name="Key">SHA-256 of the caller and the key, base64url.</param>
/// <param name="BodyHash">SHA-256 of the body.</param>
internal sealed record IdempotencyKey(string Key, string BodyHash);

/// <summary>
/// Registrations that were sent twice because an answer was lost: within a day the same caller, key and body get the
/// first answer again. Answers hold a registration access token and are kept encrypted.
/// </summary>
internal sealed class RepeatedRegistrations(
    IRegistrationStore store,
    IClientStore clients,
    KeySelector keys,
    DpopProofRules proofs,
    IDataProtectionProvider protection,
    TimeProvider time)
{
    public const string Header = "Idempotency-Key";

    private const int MaxKey = 255;
    private const int FirstVersion = 1;
    private static readonly TimeSpan s_kept = TimeSpan.FromHours(24);

    private static readonly OAuthError s_otherBody = OAuthError.InvalidRequest(
        $"The {Header} has been used with another body. Use a new key for another registration.", StatusCodes.Status422UnprocessableEntity);

    private static readonly OAuthError s_otherKey = OAuthError.InvalidDpopProof(
        $"The {Header} has been used with a DPoP proof by another key; a repeated request is proved by the same.");

    private static readonly OAuthError s_otherToken = OAuthError.InvalidRequest(
        $"The {Header} has been used with another initial access token. Send that one, or a DPoP proof by a key that was registered; or "
            + "use a new key for another registration.",
        StatusCodes.Status422UnprocessableEntity);

    private readonly IDataProtector _protector = protection.CreateProtector("Dcr.RegistrationAnswers.v1");

    /// <summary>The key of a request. Nothing where the header is not sent.</summary>
    /// <param name="headers">Of the request.</param>
    /// <param name="caller">Whose keys they are: two callers may use the same.</param>
    /// <param name="bodyHash">SHA-256 of the body.</param>
    public static Result<Optional<IdempotencyKey>> Read(IHeaderDictionary headers, string caller, string bodyHash)
    {
        if (headers[Header] is not { Count: > 0 } sent)
        {
            return Result.OfOptional<IdempotencyKey>(null);
        }
        // A structured field's string has quotes, most callers send none: both are the same key.
        var text = sent is [{ } single] ? single.Trim('"') : "";
        return text.Length is 0 or > MaxKey || text.Any(c => c is < '!' or > '~')
            ? OAuthError.InvalidRequest($"{Header} must be sent once, with 1 to {MaxKey} printable ASCII characters without space.")
            : Result.OfOptional(new IdempotencyKey(OpaqueSecret.Hash($"{caller.Length} {caller} {text}"), bodyHash));
    }

    public RegistrationAnswer Keep(IdempotencyKey key, RegisteredClient answer, string? provedBy, AccessToken initialAccessToken) => new(
        key.Key,
        key.BodyHash,
        _protector.Protect(JsonSerializer.Serialize(answer.Information, RegistrationJson.Default.ClientInformation)),
        provedBy,
        answer.Information.ClientId,
        initialAccessToken.Jti,
        time.GetUtcNow() + s_kept);

    /// <summary>The answer that was given under this key. Null: none was.</summary>
    public Task<RegistrationAnswer?> FindAsync(IdempotencyKey key, CancellationToken cancellationToken) =>
        store.FindAnswerAsync(key.Key, cancellationToken);

    /// <summary>
    /// The answer that was given, as long as what it tells of is still so: it holds a registration access token. It goes to whoever
    /// has the same initial access token, or proves a key that was registered; what was proved the first time is proved again.
    /// </summary>
    public async Task<Result<RegisteredClient>> RepeatAsync(
        RegistrationAnswer given,
        IdempotencyKey key,
        RegistrationRequest request,
        PublicKey? provedWith,
        CancellationToken cancellationToken)
    {
        if (given.BodyHash != key.BodyHash)
        {
            return s_otherBody;
        }
        var information = Open(given);
        var client = await clients.FindAsync(given.ClientId, cancellationToken);
        if (client?.IsActiveAt(time.GetUtcNow()) != true || client.Version != FirstVersion
            || !OpaqueSecret.Matches(information.RegistrationAccessToken, client.RegistrationAccess?.TokenHash))
        {
            return OAuthError.Conflict(
                $"The client that was registered under this {Header} has been changed or ended since, so the answer of then is not true "
                    + "any more. Use a new key for another registration.");
        }
        provedWith ??= request.ProvedWith;
        var isSameToken = given.InitialTokenJti == request.InitialAccessToken.Jti;
        if (provedWith is null && (given.ProvedBy is not null || (!isSameToken && !request.Proofs.IsEmpty)))
        {
            var proved = await proofs.CheckAsync(request.Proofs, accessToken: null, keyFault: null, record: true, cancellationToken);
            if (!proved.IsSuccess)
            {
                return proved.Error;
            }
            provedWith = proved.Value;
        }
        if (given.ProvedBy is { } thumbprint && provedWith?.Thumbprint != thumbprint)
        {
            return s_otherKey;
        }
        if (isSameToken
            || (
                provedWith is not null
                    && (
                        await keys.FindAsync(
                            client.AsKeyOwner(),
                            cancellationToken)).Set?.Keys.Any(held => held.Thumbprint == provedWith.Thumbprint) == true))
        {
            return new RegisteredClient(FirstVersion, information);
        }
        return s_otherToken;
    }

    /// <summary>Who the client is that an earlier call under this key began to register, for the same caller to go on with.</summary>
    public Result<NewIdentity> GoOn(RegistrationAnswer begun, IdempotencyKey key, RegistrationRequest request, PublicKey? provedWith)
    {
        if (begun.BodyHash != key.BodyHash)
        {
            return s_otherBody;
        }
        if (begun.ProvedBy is { } thumbprint && (provedWith ?? request.ProvedWith)?.Thumbprint != thumbprint)
        {
            return s_otherKey;
        }
        // A proof by a key that both requests register says as much as the same token does.
        if (begun.InitialTokenJti != request.InitialAccessToken.Jti && begun.ProvedBy is null)
        {
            return s_otherToken;
        }
        var information = Open(begun);
        return new NewIdentity(information.ClientId, information.RegistrationAccessToken);
    }

    private ClientInformation Open(RegistrationAnswer answer) =>
        JsonSerializer.Deserialize(_protector.Unprotect(answer.ProtectedAnswer), RegistrationJson.Default.ClientInformation)!;
}
