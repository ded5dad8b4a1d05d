using System.Text.Json.Serialization;
using Dcr.Protocol;

namespace Dcr.Clients;

/// <summary>
/// What an administrator lets one client do with its assertions until a certain moment, because its library cannot yet do what
/// RFC 10070 and this server ask for. At least one of <see cref="Audience"/> and <see cref="MaxLifetimeSeconds"/> is there.
/// </summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AssertionExceptionRule
{
    /// <summary>More than a server accepts anyway, and no more than the libraries that need it write.</summary>
    public const int LeastLifetimeSeconds = 601;
    public const int LongestLifetimeSeconds = 3600;

    /// <summary>What <c>aud</c> may be besides the issuer. Null: nothing.</summary>
    [JsonPropertyName("audience")]
    public ExceptedAudience? Audience { get; init; }

    /// <summary>How many seconds ahead <c>exp</c> may be, 601 to 3600. Null: as far as for every client.</summary>
    [JsonPropertyName("max_lifetime_seconds")]
    public int? MaxLifetimeSeconds { get; init; }

    /// <summary>From this moment on the exception is without effect. At most five years ahead when it is set.</summary>
    [JsonPropertyName("until")]
    public required DateTimeOffset Until { get; init; }
}

/// <summary>What the <c>aud</c> of an excepted client's assertions may be.</summary>
[JsonConverter(typeof(WireEnumConverter<ExceptedAudience>))]
public enum ExceptedAudience
{
    /// <summary>One or more values, each of them the issuer or the URL of the token, introspection or revocation endpoint.</summary>
    [JsonStringEnumMemberName("own_endpoints")]
    OwnEndpoints,
}
