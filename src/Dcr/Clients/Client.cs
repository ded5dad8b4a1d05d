using System.Security.Cryptography;
using Dcr.Protocol;

namespace Dcr.Clients;

/// <summary>One registered client, as the stores keep it. Every change is a new <see cref="Version"/>.</summary>
public sealed record Client
{
    public required string ClientId { get; init; }

    /// <summary>
    /// Made by chance with the client, and never given again: another client under the same id has another. Null: the client is of an
    /// earlier version of this server.
    /// </summary>
    public string? Incarnation { get; init; }

    public required ClientStatus Status { get; init; }

    public required ClientMetadata Metadata { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>1 when the client is added, one more with each replacement; the ETag of RFC 7592 reads.</summary>
    public required long Version { get; init; }

    /// <summary>Who registered this client. Null for a client of the seed file or the first administrator.</summary>
    public ClientOrigin? Origin { get; init; }

    /// <summary>What this client may register. Null: it is no onboarding client.</summary>
    public RegistrationPolicy? RegistrationPolicy { get; init; }

    /// <summary>The client's right to manage itself (RFC 7592). Null for a client of the seed file.</summary>
    public RegistrationAccess? RegistrationAccess { get; init; }

    /// <summary>What an administrator lets its assertions do, with an end that may have come. Null: nothing.</summary>
    public AssertionExceptionRule? AssertionException { get; init; }

    /// <summary>
    /// When an assertion was last accepted that only an exception, or the dual rule for everybody, made good; accurate to
    /// <see cref="ClientLifecycle.LastUseAccuracy"/>. Null: none was, or not for <see cref="ExceptionForgottenAfter"/> of use.
    /// </summary>
    public DateTimeOffset? ExceptionNeededAt { get; init; }

    /// <summary>
    /// Keys that an administrator blocked, by RFC 7638 thumbprint: refused whatever the client registers or its URL serves.
    /// </summary>
    public IReadOnlyList<string> QuarantinedKeys { get; init; } = [];

    /// <summary>The algorithms the client may authenticate with, from the policy it was registered under. Null: any.</summary>
    public IReadOnlyList<string>? SigningAlgs { get; init; }

    /// <summary>
    /// Until when the client may change its keys without proving one it had, by leave of an administrator. Null: it may not.
    /// </summary>
    public DateTimeOffset? KeyChangeAllowedUntil { get; init; }

    /// <summary>For how long an administrator lets a client change its keys without proving one it had.</summary>
    public static TimeSpan KeyChangeLeave { get; } = TimeSpan.FromDays(1);

    public bool MayChangeKeysAt(DateTimeOffset now) => KeyChangeAllowedUntil is { } until && Lately.Holds(until, KeyChangeLeave, now);

    /// <summary>
    /// When the client last proved itself, accurate to <see cref="ClientLifecycle.LastUseAccuracy"/>. Null: it never did.
    /// </summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>
    /// Where the status of its tokens is found in the status lists; tokens with another index are dead. Null: it has none yet, or not since
    /// it was stopped or signed out.
    /// </summary>
    public long? StatusIndex { get; init; }

    public ClientLifecycle Lifecycle { get; init; } = ClientLifecycle.Endless;

    /// <summary>A client that is used and has needed no exception for that long needs none any more.</summary>
    public static readonly TimeSpan ExceptionForgottenAfter = TimeSpan.FromDays(7);

    /// <summary>The exception that is in force. Null: there is none, or it has ended.</summary>
    public AssertionExceptionRule? AssertionExceptionAt(DateTimeOffset now) => AssertionException?.Until > now ? AssertionException : null;

    /// <summary>What effects that rest on this client ask of it.</summary>
    public ClientStanding Standing => new()
    {
        Status = Status,
        Version = Version,
        Incarnation = Incarnation,
        StatusIndex = StatusIndex,
        ExpiresAt = Lifecycle.ExpiresAt,
        QuarantinedKeys = QuarantinedKeys,
        RegistrationAccess = RegistrationAccess,
    };

    /// <summary>For <see cref="Incarnation"/>.</summary>
    internal static string NewIncarnation() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>False from the moment the client's time is over, whether or not anybody has written that down yet.</summary>
    public bool IsActiveAt(DateTimeOffset now) => StatusAt(now) == ClientStatus.Active;

    /// <summary>Whether it is registered for the scope <c>dcr.admin</c>.</summary>
    public bool Administers => Protocol.ScopeTokens.Split(Metadata.Scope).Contains(Protocol.ScopeTokens.Administration);

    /// <summary>As <see cref="Status"/>, but expired from the moment the client's time is over.</summary>
    public ClientStatus StatusAt(DateTimeOffset now) =>
        Status == ClientStatus.Active && Lifecycle.ExpiresAt <= now ? ClientStatus.Expired : Status;
}
