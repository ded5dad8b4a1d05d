using System.Text.Json.Serialization;
using Dcr.Protocol;

namespace Dcr.SigningKeys;

[JsonConverter(typeof(WireEnumConverter<SigningKeyState>))]
public enum SigningKeyState
{
    /// <summary>Published, so that APIs know it before it signs.</summary>
    [JsonStringEnumMemberName("announced")]
    Announced,

    /// <summary>Signs.</summary>
    [JsonStringEnumMemberName("active")]
    Active,

    /// <summary>Published until the last token signed with it has expired.</summary>
    [JsonStringEnumMemberName("retiring")]
    Retiring,

    /// <summary>Not published any more.</summary>
    [JsonStringEnumMemberName("retired")]
    Retired,

    /// <summary>Not trusted any more, by an administrator's emergency.</summary>
    [JsonStringEnumMemberName("revoked")]
    Revoked,
}
