using System.Text.Json.Serialization;

namespace Dcr.Auditing;

/// <summary>Who did what to whom, and when. Never a secret: keys appear as thumbprints, tokens not at all.</summary>
public sealed record AuditRecord
{
    /// <summary>Sorts by time: 32 lower-case hexadecimal digits, the first 12 of them milliseconds since 1970.</summary>
    [JsonPropertyName("id")]
    public required string Id { get; init; }

    [JsonPropertyName("at")]
    public required DateTimeOffset At { get; init; }

    /// <summary>The client id that acted. Null: the server itself (the seed file, the first start).</summary>
    [JsonPropertyName("actor")]
    public string? Actor { get; init; }

    /// <summary>The <c>kid</c> the actor proved itself with. Null: it used a registration access token, or its key has none.</summary>
    [JsonPropertyName("actor_kid")]
    public string? ActorKid { get; init; }

    /// <summary>For example <c>client.registered</c>.</summary>
    [JsonPropertyName("action")]
    public required string Action { get; init; }

    /// <summary>The client id, or the <c>kid</c> of a signing key, that was acted on.</summary>
    [JsonPropertyName("subject")]
    public required string Subject { get; init; }

    /// <summary>By member name. Empty: the action says it all.</summary>
    [JsonPropertyName("changes")]
    public IReadOnlyDictionary<string, AuditChange> Changes { get; init; } = new Dictionary<string, AuditChange>();
}

/// <param name="Before">Null: it was not there.</param>
/// <param name="After">Null: it is gone.</param>
public sealed record AuditChange(
    [property: JsonPropertyName("before")] string? Before = null,
    [property: JsonPropertyName("after")] string? After = null);
