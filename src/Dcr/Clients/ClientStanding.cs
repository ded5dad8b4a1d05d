using Dcr.Protocol;

namespace Dcr.Clients;

/// <summary>What of a client decides whether an effect may rest on it: little enough to be read again with every effect.</summary>
public sealed record ClientStanding
{
    public required ClientStatus Status { get; init; }

    public required long Version { get; init; }

    public string? Incarnation { get; init; }

    public long? StatusIndex { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public IReadOnlyList<string> QuarantinedKeys { get; init; } = [];

    public RegistrationAccess? RegistrationAccess { get; init; }

    /// <summary>The one definition of what a <see cref="ClientGround"/> asks, for every store.</summary>
    public bool Supports(ClientGround ground, DateTimeOffset now) =>
        Status == ClientStatus.Active
        && !(ExpiresAt <= now)
        && Incarnation == ground.Incarnation
        && (ground.StatusIndex is null || StatusIndex == ground.StatusIndex)
        && (ground.Version is null || Version == ground.Version)
        && (ground.KeyThumbprint is null || !QuarantinedKeys.Contains(ground.KeyThumbprint))
        && (ground.RegistrationTokenHash is null || RegistrationAccess?.Accepts(ground.RegistrationTokenHash, now) == true);
}
