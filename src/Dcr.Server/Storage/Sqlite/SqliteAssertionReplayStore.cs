using Dcr.ClientAuthentication;

namespace Dcr.Server.Storage.Sqlite;

internal sealed class SqliteAssertionReplayStore(SqliteStorage storage, TimeProvider time) : IAssertionReplayStore
{
    // More than one is removed for each one added, so the table never outgrows the assertions that are still alive.
    private const int ForgetAtOnce = 4;

    public Task<RecordAssertionOutcome> RecordAsync(string clientId, string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        var hash = UsedAssertion.Hash(clientId, jti);
        return storage.Replay.WriteAsync(
            session =>
            {
                session.Change(
                    "DELETE FROM used_assertions WHERE hash IN (SELECT hash FROM used_assertions WHERE expires_at < $1 LIMIT $2)",
                    time.GetUtcNow().ToUnixTimeMilliseconds(),
                    ForgetAtOnce);
                var added = session.Change(
                    "INSERT INTO used_assertions (hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", hash, expiresAt.ToUnixTimeMilliseconds());
                return added == 1 ? RecordAssertionOutcome.Recorded : RecordAssertionOutcome.AlreadyUsed;
            },
            cancellationToken);
    }
}
