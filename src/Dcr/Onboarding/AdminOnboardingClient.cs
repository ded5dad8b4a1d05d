using System.Text.Json.Serialization;
using Dcr.Bulk;
using Dcr.Clients;

namespace Dcr.Onboarding;

/// <summary>An onboarding client: the members of its entry (RFC 7591 metadata and the registration policy), and how it stands.</summary>
public sealed record AdminOnboardingClient : ClientMetadata
{
    public AdminOnboardingClient()
    {
    }

    private AdminOnboardingClient(ClientMetadata metadata)
        : base(metadata)
    {
    }

    [JsonPropertyName("client_id")]
    [JsonPropertyOrder(-1)]
    public required string ClientId { get; init; }

    [JsonPropertyName("registration_policy")]
    public required RegistrationPolicy RegistrationPolicy { get; init; }

    [JsonPropertyName("status")]
    public required ClientStatus Status { get; init; }

    [JsonPropertyName("created_at")]
    public required DateTimeOffset CreatedAt { get; init; }

    [JsonPropertyName("version")]
    public required long Version { get; init; }

    /// <summary>How many of its clients are active or suspended. Absent in listings.</summary>
    [JsonPropertyName("live_clients")]
    public long? LiveClients { get; init; }

    /// <summary>After a PUT with <c>?suspend_withdrawn=true</c>: how far that has come.</summary>
    [JsonPropertyName("suspension")]
    public AdminOperation? Suspension { get; init; }

    internal static AdminOnboardingClient Of(Client client) => new(client.Metadata)
    {
        ClientId = client.ClientId,
        RegistrationPolicy = client.RegistrationPolicy!,
        Status = client.Status,
        CreatedAt = client.CreatedAt,
        Version = client.Version,
    };
}
