using Dcr.AccessTokens;

namespace Dcr.Storage.Sqlite;

internal sealed class SqliteRevokedTokenStore(SqliteStorage storage, TimeProvider time) : IRevokedTokenStore
{
    // A few with each revocation keep the table at the tokens that are still alive.
    private const int ForgetAtOnce = 10;

    private readonly SqliteForgetting _forgetting = new(time);

    public Task AddAsync(string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session =>
        {
            session.Change(
                "DELETE FROM revoked_tokens WHERE jti IN (SELECT jti FROM revoked_tokens WHERE expires_at < $1 LIMIT $2)",
                _forgetting.Before(session),
                ForgetAtOnce);
            return session.Change(
                "INSERT INTO revoked_tokens (jti, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                jti,
                expiresAt.ToUnixTimeMilliseconds());
        },
        cancellationToken);

    public Task<bool> IsRevokedAsync(string jti, CancellationToken cancellationToken) =>
        Task.FromResult(storage.Main.Read(session => SqliteGrounds.IsRevoked(session, jti)));
}
