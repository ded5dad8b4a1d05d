using Dcr.Keys;

namespace Dcr.Storage.Sqlite;

internal sealed class SqliteKeyUseStore(SqliteStorage storage) : IKeyUseStore
{
    public Task RecordAsync(IReadOnlyCollection<KeyUse> uses, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session =>
        {
            foreach (var use in uses)
            {
                session.Change(
                    """
                    INSERT INTO key_uses (client_id, thumbprint, last_used_at) SELECT $1, $2, $3
                    WHERE EXISTS (SELECT 1 FROM clients WHERE client_id = $1 AND created_at <= $3)
                        OR EXISTS (SELECT 1 FROM key_sets WHERE id = $4 AND created_at <= $3)
                    ON CONFLICT (client_id, thumbprint) DO UPDATE SET last_used_at = max(last_used_at, excluded.last_used_at)
                    """,
                    use.ClientId,
                    use.Thumbprint,
                    use.UsedAt.ToUnixTimeMilliseconds(),
                    use.KeySetId);
            }
            return true;
        },
        cancellationToken);

    public Task<IReadOnlyDictionary<string, DateTimeOffset>> FindAsync(string clientId, CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, DateTimeOffset> found = storage.Main.Read(session => session.Read(
            row => KeyValuePair.Create(row.GetString(0), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1))),
            "SELECT thumbprint, last_used_at FROM key_uses WHERE client_id = $1",
            clientId)).ToDictionary();
        return Task.FromResult(found);
    }
}
