namespace Dcr.Registration;

/// <summary>One use of an initial access token, to be counted.</summary>
/// <param name="Jti">The token's <c>jti</c>.</param>
/// <param name="MaxUses">How many clients it may make in all.</param>
/// <param name="ExpiresAt">When the token is refused anyway, and the count may be forgotten.</param>
public sealed record InitialAccessTokenUse(string Jti, int MaxUses, DateTimeOffset ExpiresAt);
