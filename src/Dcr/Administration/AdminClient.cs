using System.Text.Json.Serialization;
using Dcr.ClientAuthentication;
using Dcr.Clients;
using Dcr.Registration;

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

    /// <summary>Absent: the client comes from the seed file or is the first administrator.</summary>
    [JsonPropertyName("origin")]
    public ClientOrigin? Origin { get; init; }

    /// <summary>Absent: it is no onboarding client.</summary>
    [JsonPropertyName("registration_policy")]
    public RegistrationPolicy? RegistrationPolicy { get; init; }

    /// <summary>What the client's assertions were last seen addressed to. Absent: none accepted yet.</summary>
    [JsonPropertyName("assertion_audience_seen")]
    public AssertionAudience? AssertionAudienceSeen { get; init; }

    /// <summary>An administrator's override. Absent: the server's rule applies.</summary>
    [JsonPropertyName("assertion_audience_rule")]
    public AssertionAudienceRule? AssertionAudienceRule { get; init; }

    [JsonPropertyName("version")]
    public required long Version { get; init; }

    internal static AdminClient Of(Client client) => new()
    {
        ClientId = client.ClientId,
        Status = client.Status,
        Metadata = client.Metadata,
        CreatedAt = client.CreatedAt,
        Origin = client.Origin,
        RegistrationPolicy = client.RegistrationPolicy,
        AssertionAudienceSeen = client.AssertionAudienceSeen,
        AssertionAudienceRule = client.AssertionAudienceRule,
        Version = client.Version,
    };
}
