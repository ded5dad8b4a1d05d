namespace Dcr.Protocol;

/// <summary>
/// What an effect rests on. A request is authorized when its effect is made, not when it arrives (decision 0009): a store
/// makes the effect only if all of this still holds, in the same atomic step, and otherwise changes nothing.
/// </summary>
public sealed record Grounds
{
    /// <summary>The server acts by itself: the seed file, the first administrator, the reaper, the schedule of its own keys.</summary>
    public static readonly Grounds Server = new();

    /// <summary>Clients that must be as they were judged: the caller, and the onboarding client whose policy applies.</summary>
    public IReadOnlyList<ClientGround> Clients { get; init; } = [];

    /// <summary>The access token that the caller presented. Null: it presented none.</summary>
    public TokenGround? Token { get; init; }
}

/// <summary>A client that an effect rests on. It must be active; a null member does not matter.</summary>
public sealed record ClientGround
{
    public required string ClientId { get; init; }

    /// <summary>
    /// The client of this incarnation, and not another one that was made under its id since. Null: one of an earlier version of this
    /// server, which gave none.
    /// </summary>
    public required string? Incarnation { get; init; }

    /// <summary>It has not been stopped or signed out since an access token with this status index was issued.</summary>
    public long? StatusIndex { get; init; }

    /// <summary>It has not been changed at all: its policy is the one that was judged by.</summary>
    public long? Version { get; init; }

    /// <summary>The key with this thumbprint, which the token was asked for with, is not quarantined.</summary>
    public string? KeyThumbprint { get; init; }

    /// <summary>The registration access token with this hash is still the client's.</summary>
    public string? RegistrationTokenHash { get; init; }
}

/// <summary>An access token that an effect rests on: neither revoked nor expired when the effect is made.</summary>
/// <param name="Jti">Its <c>jti</c>.</param>
/// <param name="ExpiresAt">Its <c>exp</c>.</param>
public sealed record TokenGround(string Jti, DateTimeOffset ExpiresAt);
