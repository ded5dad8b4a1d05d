using Dcr.ClientAuthentication;
using Dcr.Registration;

namespace Dcr.Clients;

/// <summary>One registered client, as the stores keep it. Every change is a new <see cref="Version"/>.</summary>
public sealed record Client
{
    public required string ClientId { get; init; }

    public required ClientStatus Status { get; init; }

    public required ClientMetadata Metadata { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>1 when the client is added, one more with each replacement; the ETag of RFC 7592 reads.</summary>
    public required long Version { get; init; }

    /// <summary>Who registered this client. Null for a client of the seed file or the first administrator.</summary>
    public ClientOrigin? Origin { get; init; }

    /// <summary>What this client may register. Null: it is no onboarding client.</summary>
    public RegistrationPolicy? RegistrationPolicy { get; init; }

    /// <summary>The client's right to manage itself (RFC 7592). Null for a client of the seed file.</summary>
    public RegistrationAccess? RegistrationAccess { get; init; }

    /// <summary>An administrator's override of the server's rule for the assertion's audience. Null: the server's rule.</summary>
    public AssertionAudienceRule? AssertionAudienceRule { get; init; }

    /// <summary>Which audience the client's assertions were last seen with. Null: none accepted yet.</summary>
    public AssertionAudience? AssertionAudienceSeen { get; init; }

    /// <summary>Keys that an administrator blocked, by RFC 7638 thumbprint: refused whatever the client registers or its URL serves.</summary>
    public IReadOnlyList<string> QuarantinedKeys { get; init; } = [];

    public bool IsActive => Status == ClientStatus.Active;
}
