namespace Dcr.Client;

/// <summary>The right to register (RFC 7591 section 1.2): usually one client, within minutes.</summary>
public sealed record InitialAccessToken
{
    /// <summary>A token that somebody else got and handed over.</summary>
    /// <param name="value">As it was handed over. A secret.</param>
    /// <param name="boundTo">The key that the token is bound to (RFC 9449): of the party that registers. Null: a bearer token.</param>
    public InitialAccessToken(string value, ISigningKey? boundTo = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(value);
        Value = value;
        BoundTo = boundTo;
    }

    /// <summary>To be handed over as it is. A secret.</summary>
    public string Value { get; }

    /// <summary>The key that must be proved with each use. Null: a bearer token.</summary>
    public ISigningKey? BoundTo { get; }

    /// <summary>Null: not known.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Nothing of the token.</summary>
    public override string ToString() =>
        $"{(BoundTo is null ? TokenTypes.Bearer : TokenTypes.Dpop)} initial access token, expires {ExpiresAt?.ToString("O") ?? "unknown"}";
}
