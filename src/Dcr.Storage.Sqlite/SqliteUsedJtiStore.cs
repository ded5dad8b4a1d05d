using Dcr.Proofs;

namespace Dcr.Storage.Sqlite;

internal sealed class SqliteUsedJtiStore(SqliteStorage storage, TimeProvider time) : IUsedJtiStore
{
    // Often and few enough that no request waits long; more than can be added meanwhile, so the table never outgrows
    // the assertions of the last hour or so.
    private static readonly TimeSpan s_forgetEvery = TimeSpan.FromMilliseconds(100);
    private const int ForgetAtOnce = 2000;

    private readonly SqliteForgetting _forgetting = new(time);
    private long? _forgotAt;

    public Task<RecordJtiOutcome> RecordAsync(string clientId, string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken)
    {
        var hash = UsedJti.Hash(clientId, jti);
        return storage.Replay.WriteAsync(
            session =>
            {
                ForgetExpired(session);
                var added = session.Change(
                    "INSERT INTO used_assertions (hash, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    hash,
                    expiresAt.ToUnixTimeMilliseconds());
                return added == 1 ? RecordJtiOutcome.Recorded : RecordJtiOutcome.AlreadyUsed;
            },
            cancellationToken);
    }

    public Task<bool> IsUsedAsync(string clientId, string jti, CancellationToken cancellationToken) =>
        Task.FromResult(storage.Replay.Read(session =>
        session.Read(row => row.GetInt64(0), "SELECT 1 FROM used_assertions WHERE hash = $1", UsedJti.Hash(clientId, jti)).Count == 1));

    // Only ever called by the one writer.
    private void ForgetExpired(SqliteSession session)
    {
        if (_forgotAt is { } at && time.GetElapsedTime(at) < s_forgetEvery)
        {
            return;
        }
        _forgotAt = time.GetTimestamp();
        session.Change(
            "DELETE FROM used_assertions WHERE hash IN (SELECT hash FROM used_assertions WHERE expires_at < $1 LIMIT $2)",
            _forgetting.Before(session),
            ForgetAtOnce);
    }
}
