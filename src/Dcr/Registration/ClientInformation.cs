using System.Text.Json.Serialization;
using Dcr.Clients;

namespace Dcr.Registration;

/// <summary>
/// The client information response (RFC 7591 section 3.2.1, RFC 7592 section 3): all registered metadata, and how the
/// client manages itself. There is never a client secret.
/// </summary>
public sealed record ClientInformation : ClientMetadata
{
    public ClientInformation()
    {
    }

    private ClientInformation(ClientMetadata metadata)
        : base(metadata)
    {
    }

    [JsonPropertyName("client_id")]
    [JsonPropertyOrder(-4)]
    public required string ClientId { get; init; }

    /// <summary>Seconds since 1970.</summary>
    [JsonPropertyName("client_id_issued_at")]
    [JsonPropertyOrder(-3)]
    public required long ClientIdIssuedAt { get; init; }

    /// <summary>Seconds since 1970. Null: the client does not expire by itself.</summary>
    [JsonPropertyName("client_id_expires_at")]
    [JsonPropertyOrder(-3)]
    public long? ClientIdExpiresAt { get; init; }

    [JsonPropertyName("registration_client_uri")]
    [JsonPropertyOrder(-2)]
    public required string RegistrationClientUri { get; init; }

    [JsonPropertyName("registration_access_token")]
    [JsonPropertyOrder(-1)]
    public required string RegistrationAccessToken { get; init; }

    internal static ClientInformation Of(Client client, string registrationClientUri, string registrationAccessToken) =>
        new(client.Metadata)
        {
            ClientId = client.ClientId,
            ClientIdIssuedAt = client.CreatedAt.ToUnixTimeSeconds(),
            ClientIdExpiresAt = client.Lifecycle.ExpiresAt?.ToUnixTimeSeconds(),
            RegistrationClientUri = registrationClientUri,
            RegistrationAccessToken = registrationAccessToken,
        };
}
