using System.Text.Json;
using Dcr.Keys;
using Dcr.Protocol;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http;

namespace Dcr.Registration;

/// <summary>An idempotency key as sent, and what it stands for.</summary>
/// <param name="Key">SHA-256 of the caller and the key, base64url.</param>
/// <param name="BodyHash">SHA-256 of the body.</param>
public sealed record IdempotencyKey(string Key, string BodyHash);

/// <summary>
/// Registrations that were sent twice because an answer was lost: within a day the same caller, key and body get the
/// first answer again. Answers hold a registration access token and are kept encrypted.
/// </summary>
internal sealed class RepeatedRegistrations(IRegistrationStore store, IDataProtectionProvider protection, TimeProvider time)
{
    public const string Header = "Idempotency-Key";

    private const int MaxKey = 255;
    private const int FirstVersion = 1;
    private static readonly TimeSpan s_kept = TimeSpan.FromHours(24);

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

    public RegistrationAnswer Keep(IdempotencyKey key, RegisteredClient answer, string? provedBy) => new(
        key.Key,
        key.BodyHash,
        _protector.Protect(JsonSerializer.Serialize(answer.Information, DcrJson.Default.ClientInformation)),
        provedBy,
        time.GetUtcNow() + s_kept);

    /// <summary>The answer that was given under this key. Null: none was.</summary>
    public Task<RegistrationAnswer?> FindAsync(IdempotencyKey key, CancellationToken cancellationToken) => store.FindAnswerAsync(key.Key, cancellationToken);

    /// <summary>The answer that was given, for the same request and whoever proved the same key.</summary>
    public Result<RegisteredClient> Open(RegistrationAnswer given, IdempotencyKey key, ClientKey? provedWith)
    {
        if (given.BodyHash != key.BodyHash)
        {
            return OAuthError.InvalidRequest($"The {Header} has been used with another body. Use a new key for another registration.", StatusCodes.Status422UnprocessableEntity);
        }
        if (given.ProvedBy is { } thumbprint && provedWith?.Thumbprint != thumbprint)
        {
            return OAuthError.InvalidDpopProof($"The {Header} has been used with a DPoP proof by another key; a repeated request is proved by the same.");
        }
        return new RegisteredClient(FirstVersion, JsonSerializer.Deserialize(_protector.Unprotect(given.ProtectedAnswer), DcrJson.Default.ClientInformation)!);
    }
}
