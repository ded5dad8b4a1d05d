using System.Text.Json.Serialization;
using Dcr.Clients;

namespace Dcr.Administration;

/// <summary>A client as administrators see it. No token, hash or private key is ever in it.</summary>
public sealed record AdminClient
{
    [JsonPropertyName("client_id")]
    public required string ClientId { get; init; }

    [JsonPropertyName("status")]
    public required ClientStatus Status { get; init; }

    [JsonPropertyName("metadata")]
    public required ClientMetadata Metadata { get; init; }

    [JsonPropertyName("created_at")]
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Accurate to an hour. Absent: never.</summary>
    [JsonPropertyName("last_used_at")]
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>When the client expires if it is not used again; of an expired client, when it is removed. Absent: never.</summary>
    [JsonPropertyName("expires_at")]
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Until when the client may change its keys without proving one it had. Absent: it may not.</summary>
    [JsonPropertyName("key_change_allowed_until")]
    public DateTimeOffset? KeyChangeAllowedUntil { get; init; }

    /// <summary>Absent: the client comes from the seed file or the admin API, or is the first administrator.</summary>
    [JsonPropertyName("origin")]
    public ClientOrigin? Origin { get; init; }

    /// <summary>Absent: it is no onboarding client.</summary>
    [JsonPropertyName("registration_policy")]
    public RegistrationPolicy? RegistrationPolicy { get; init; }

    /// <summary>What an administrator lets its assertions do, and until when, which may be past. Absent: nothing.</summary>
    [JsonPropertyName("assertion_exception")]
    public AssertionExceptionRule? AssertionException { get; init; }

    /// <summary>
    /// When an assertion was last accepted that only an exception made good, or the server's dual rule; accurate to an hour.
    /// Absent: it needs none.
    /// </summary>
    [JsonPropertyName("assertion_exception_needed_at")]
    public DateTimeOffset? AssertionExceptionNeededAt { get; init; }

    [JsonPropertyName("version")]
    public required long Version { get; init; }

    internal static AdminClient Of(Client client, DateTimeOffset now) => new()
    {
        ClientId = client.ClientId,
        Status = client.StatusAt(now),
        Metadata = client.Metadata,
        CreatedAt = client.CreatedAt,
        LastUsedAt = client.LastUsedAt,
        ExpiresAt = client.Lifecycle.ExpiredAt + ClientLifecycle.KeptExpired ?? client.Lifecycle.EndsAt(client.LastUsedAt),
        KeyChangeAllowedUntil = client.MayChangeKeysAt(now) ? client.KeyChangeAllowedUntil : null,
        Origin = client.Origin,
        RegistrationPolicy = client.RegistrationPolicy,
        AssertionException = client.AssertionException,
        AssertionExceptionNeededAt = client.ExceptionNeededAt,
        Version = client.Version,
    };
}
