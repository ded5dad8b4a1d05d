using Dcr.Protocol;

namespace Dcr.Storage.Sqlite;

internal sealed class SqliteLeaseStore(SqliteStorage storage, TimeProvider time) : ILeaseStore
{
    private readonly SeenUnchanged _seen = new(time);

    public async Task<bool> TryTakeAsync(string name, string holder, TimeSpan life, CancellationToken cancellationToken)
    {
        var held = storage.Main.Read(session => session.Read(
            row => new Held(row.GetString(0), row.GetInt64(1), TimeSpan.FromMilliseconds(row.GetInt64(2))),
            "SELECT holder, renewals, life FROM leases WHERE name = $1",
            name)).SingleOrDefault();
        if (held is not null && held.Holder != holder && _seen.For(name, $"{held.Renewals} {held.Holder}") < held.Life)
        {
            return false;
        }
        // Only as it was seen: of those that find it free at once, one takes it.
        return await storage.Main.WriteAsync(
            session => session.Change(
                """
                INSERT INTO leases (name, holder, renewals, life) VALUES ($1, $2, 1, $3)
                ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, renewals = renewals + 1, life = excluded.life
                WHERE holder = excluded.holder OR (holder = $4 AND renewals = $5)
                """,
                name,
                holder,
                (long)life.TotalMilliseconds,
                held?.Holder,
                held?.Renewals) == 1,
            cancellationToken);
    }

    private sealed record Held(string Holder, long Renewals, TimeSpan Life);
}
