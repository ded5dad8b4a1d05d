using Dcr.Onboarding;

namespace Dcr.Storage.Sqlite;

internal sealed class SqliteSeededClientStore(SqliteStorage storage) : ISeededClientStore
{
    public Task<string?> FindEntryAsync(string clientId, CancellationToken cancellationToken) => Task.FromResult(storage.Main.Read(
        session =>
            session.Read(row => row.GetString(0), "SELECT entry FROM seeded_clients WHERE client_id = $1", clientId).SingleOrDefault()));

    public Task RecordEntryAsync(string clientId, string entryHash, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session => session.Change(
            """
            INSERT INTO seeded_clients (client_id, entry) VALUES ($1, $2)
            ON CONFLICT (client_id) DO UPDATE SET entry = excluded.entry
            """,
            clientId,
            entryHash),
        cancellationToken);
}
