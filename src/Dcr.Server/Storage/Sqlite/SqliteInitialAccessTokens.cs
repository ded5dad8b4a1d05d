using Dcr.Registration;

namespace Dcr.Server.Storage.Sqlite;

/// <summary>How often each initial access token was used, kept until it has expired.</summary>
internal static class SqliteInitialAccessTokens
{
    // A few at each use keeps the table at the tokens of the last minutes without a job of its own.
    private const int ForgetAtOnce = 10;

    public static bool TryUse(SqliteSession session, InitialAccessTokenUse use, DateTimeOffset now)
    {
        session.Change(
            "DELETE FROM initial_access_token_uses WHERE jti IN (SELECT jti FROM initial_access_token_uses WHERE expires_at < $1 LIMIT $2)",
            now.ToUnixTimeMilliseconds(),
            ForgetAtOnce);
        return session.Change(
            """
            INSERT INTO initial_access_token_uses (jti, uses, expires_at) SELECT $1, 1, $2 WHERE $3 > 0
            ON CONFLICT (jti) DO UPDATE SET uses = uses + 1 WHERE uses < $3
            """,
            use.Jti,
            use.ExpiresAt.ToUnixTimeMilliseconds(),
            use.MaxUses) == 1;
    }
}
