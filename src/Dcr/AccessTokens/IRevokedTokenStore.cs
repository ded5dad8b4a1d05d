namespace Dcr.AccessTokens;

/// <summary>Access tokens that were revoked one by one (RFC 7009), on all nodes, until they would have expired.</summary>
public interface IRevokedTokenStore
{
    /// <summary>Durable when the call returns; seen by the next <see cref="IsRevokedAsync"/> on every node. May be said again.</summary>
    /// <param name="jti">Its <c>jti</c>.</param>
    /// <param name="expiresAt">When the token is refused anyway. It may be forgotten an hour later, and not before.</param>
    Task AddAsync(string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken);

    /// <summary>
    /// Never from a cache. Writes that rest on a token ask the same within their own step: <see cref="Protocol.TokenGround"/>.
    /// </summary>
    Task<bool> IsRevokedAsync(string jti, CancellationToken cancellationToken);
}
