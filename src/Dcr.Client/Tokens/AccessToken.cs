namespace Dcr.Client;

/// <summary>An access token for an API, as the server gave it.</summary>
public sealed record AccessToken
{
    /// <summary>To be sent in the Authorization header. A secret.</summary>
    public required string Value { get; init; }

    /// <summary>The scheme of the Authorization header: <c>Bearer</c>, or <c>DPoP</c> for a token that is bound to a key.</summary>
    public required string TokenType { get; init; }

    /// <summary>When it ends.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>What it is good for, space-separated. Null: what was asked for.</summary>
    public string? Scope { get; init; }

    /// <summary>The key that must be proved with each use (RFC 9449). Null: a bearer token.</summary>
    public ISigningKey? BoundTo { get; init; }

    /// <summary>From when it was asked for to its end.</summary>
    internal TimeSpan Lifetime { get; init; }

    /// <summary>Nothing of the token.</summary>
    public override string ToString() => $"{TokenType} access token for {Scope ?? "the scope asked for"}, expires {ExpiresAt:O}";
}
