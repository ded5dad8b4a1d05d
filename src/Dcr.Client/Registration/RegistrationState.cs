using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dcr.Client;

/// <summary>A request that was or will be sent, and whose answer is not here yet.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PendingRequest>))]
public enum PendingRequest
{
    /// <summary>POST: the same request with the same idempotency key gets the first answer.</summary>
    Registration,

    /// <summary>PUT: the token may have been replaced; the one that is here is good for an hour.</summary>
    Update,

    /// <summary>DELETE: the client may be gone.</summary>
    Deletion,
}

/// <summary>
/// What an <see cref="IRegistrationStore"/> keeps. A secret as a whole. Make one by hand only to take over a client that
/// was registered by other means.
/// </summary>
/// <example>
/// <code>
/// await store.SaveAsync(new RegistrationState { ClientId = id, RegistrationClientUri = uri, RegistrationAccessToken = token });
/// </code>
/// </example>
public sealed record RegistrationState
{
    /// <summary>Null: the registration is not finished.</summary>
    [JsonPropertyName("client_id")]
    public string? ClientId { get; init; }

    /// <summary>Where the client manages itself (RFC 7592). Null: the registration is not finished.</summary>
    [JsonPropertyName("registration_client_uri")]
    public Uri? RegistrationClientUri { get; init; }

    /// <summary>What it manages itself with. A secret. Null: the registration is not finished.</summary>
    [JsonPropertyName("registration_access_token")]
    public string? RegistrationAccessToken { get; init; }

    /// <summary>The version of the client when the token was given. Null: not known.</summary>
    [JsonPropertyName("etag")]
    public string? ETag { get; init; }

    /// <summary>What may or may not have been carried out. Null: nothing.</summary>
    [JsonPropertyName("pending")]
    public PendingRequest? Pending { get; init; }

    /// <summary>Under which a registration is sent and repeated. Null: it is finished.</summary>
    [JsonPropertyName("idempotency_key")]
    public string? IdempotencyKey { get; init; }

    /// <summary>SHA-256 of the body that goes with <see cref="IdempotencyKey"/>, base64url.</summary>
    [JsonPropertyName("body_sha256")]
    public string? BodySha256 { get; init; }

    /// <summary>To be kept. A secret.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, DcrClientJson.Default.RegistrationState);

    /// <summary>What <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">It is something else.</exception>
    public static RegistrationState FromJson(string json) =>
        JsonSerializer.Deserialize(json, DcrClientJson.Default.RegistrationState)
            ?? throw new JsonException("There is no registration state in the text.");

    /// <summary>Nothing of the token.</summary>
    public override string ToString() =>
        $"Registration of {ClientId ?? "nobody yet"}{(Pending is { } pending ? $", {pending} pending" : "")}";
}
