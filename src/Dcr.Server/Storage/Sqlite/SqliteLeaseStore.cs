using Dcr.Protocol;

namespace Dcr.Server.Storage.Sqlite;

internal sealed class SqliteLeaseStore(SqliteStorage storage, TimeProvider time) : ILeaseStore
{
    public Task<bool> TryTakeAsync(string name, string holder, DateTimeOffset until, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session => session.Change(
            """
            INSERT INTO leases (name, holder, until) VALUES ($1, $2, $3)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE holder = excluded.holder OR until <= $4
            """,
            name,
            holder,
            until.ToUnixTimeMilliseconds(),
            time.GetUtcNow().ToUnixTimeMilliseconds()) == 1,
        cancellationToken);
}
