using System.Text.Json.Serialization;

namespace Dcr.Client;

/// <summary>
/// A registered client as the server knows it (RFC 7591 section 3.2.1). The registration access token is not here: it is
/// in the <see cref="IRegistrationStore"/> and nowhere else.
/// </summary>
public sealed record ClientInformation
{
    private static readonly string[] s_notMetadata =
        [
            "client_id",
            "client_id_issued_at",
            "client_id_expires_at",
            "client_secret",
            "client_secret_expires_at",
            "registration_client_uri",
            "registration_access_token",
        ];

    /// <summary>The client's name from now on.</summary>
    public required string ClientId { get; init; }

    /// <summary>When it registered. Null: not said.</summary>
    public DateTimeOffset? ClientIdIssuedAt { get; init; }

    /// <summary>When it ends by itself. Null: it does not.</summary>
    public DateTimeOffset? ClientIdExpiresAt { get; init; }

    /// <summary>
    /// What is registered; the server may have filled in members. To change it, hand a changed copy to
    /// <see cref="ClientRegistration.UpdateAsync"/>.
    /// </summary>
    public required ClientMetadata Metadata { get; init; }

    /// <summary>The version of all this, for <c>If-Match</c>. Null: the server gives none.</summary>
    public string? ETag { get; init; }

    internal static ClientInformation Of(ProtocolAnswer answer, ClientInformationBody body)
    {
        var metadata = answer.Read(DcrClientJson.Default.ClientMetadata, "client metadata");
        foreach (var name in s_notMetadata)
        {
            metadata.OtherMembers?.Remove(name);
        }
        return new ClientInformation
        {
            ClientId = body.ClientId,
            ClientIdIssuedAt = At(body.ClientIdIssuedAt),
            ClientIdExpiresAt = At(body.ClientIdExpiresAt),
            Metadata = metadata.OtherMembers is { Count: 0 } ? metadata with { OtherMembers = null } : metadata,
            ETag = answer.ETag,
        };
    }

    private static DateTimeOffset? At(long? seconds) => seconds is { } value ? DateTimeOffset.FromUnixTimeSeconds(value) : null;
}

/// <summary>The members of a client information response that are no metadata.</summary>
internal sealed record ClientInformationBody
{
    [JsonPropertyName("client_id")]
    public required string ClientId { get; init; }

    [JsonPropertyName("client_id_issued_at")]
    public long? ClientIdIssuedAt { get; init; }

    [JsonPropertyName("client_id_expires_at")]
    public long? ClientIdExpiresAt { get; init; }

    [JsonPropertyName("registration_client_uri")]
    public required Uri RegistrationClientUri { get; init; }

    [JsonPropertyName("registration_access_token")]
    public required string RegistrationAccessToken { get; init; }

    /// <summary>Nothing of the token.</summary>
    public override string ToString() => ClientId;
}
