using System.Text.Json.Serialization;
using Dcr.Protocol;

namespace Dcr.ClientAuthentication;

/// <summary>What the <c>aud</c> of a client's assertions named. Ordered: a client moves up and never back.</summary>
[JsonConverter(typeof(WireEnumConverter<AssertionAudience>))]
public enum AssertionAudience
{
    /// <summary>The token endpoint's URL: tolerated from clients that were never seen to use the issuer.</summary>
    [JsonStringEnumMemberName("token_endpoint")]
    TokenEndpoint = 1,

    /// <summary>The issuer identifier. Having used it once, a client is held to it.</summary>
    [JsonStringEnumMemberName("issuer")]
    Issuer = 2,
}

/// <summary>Which audiences of a client assertion are accepted.</summary>
[JsonConverter(typeof(WireEnumConverter<AssertionAudienceRule>))]
public enum AssertionAudienceRule
{
    /// <summary>The issuer, or the token endpoint until the client has once used the issuer.</summary>
    [JsonStringEnumMemberName("dual")]
    Dual,

    /// <summary>The issuer only.</summary>
    [JsonStringEnumMemberName("strict")]
    Strict,
}
