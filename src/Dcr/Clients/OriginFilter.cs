using System.Text.Json.Serialization;

namespace Dcr.Clients;

/// <summary>Clients by where they came from. A null member does not restrict; at least one is given.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record OriginFilter
{
    /// <summary>Who registered them.</summary>
    [JsonPropertyName("onboarding_client")]
    public string? OnboardingClient { get; init; }

    /// <summary>The <c>kid</c> of the key that their initial access tokens were asked for with.</summary>
    [JsonPropertyName("kid")]
    public string? Kid { get; init; }

    /// <summary>The RFC 7638 thumbprint of that key.</summary>
    [JsonPropertyName("thumbprint")]
    public string? Thumbprint { get; init; }

    /// <summary>The <c>jti</c> of one initial access token.</summary>
    [JsonPropertyName("initial_token_jti")]
    public string? InitialTokenJti { get; init; }

    /// <summary>The <c>iss</c> of the software statement they rest on.</summary>
    [JsonPropertyName("software_statement_issuer")]
    public string? SoftwareStatementIssuer { get; init; }

    /// <summary>The <c>software_id</c> of that statement.</summary>
    [JsonPropertyName("software_id")]
    public string? SoftwareId { get; init; }

    [JsonIgnore]
    public bool IsEmpty => this == new OriginFilter();
}
