namespace Dcr.AccessTokens;

/// <summary>Access tokens that were revoked one by one (RFC 7009), on all nodes, until they would have expired.</summary>
public interface IRevokedTokenStore
{
    /// <summary>Durable when the call returns; seen by the next <see cref="IsRevokedAsync"/> on every node. May be said again.</summary>
    Task AddAsync(string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken);

    Task<bool> IsRevokedAsync(string jti, CancellationToken cancellationToken);
}
