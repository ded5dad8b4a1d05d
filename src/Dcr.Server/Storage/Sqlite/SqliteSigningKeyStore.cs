using Dcr.Keys;

namespace Dcr.Server.Storage.Sqlite;

internal sealed class SqliteSigningKeyStore(SqliteStorage storage) : ISigningKeyStore
{
    public Task<IReadOnlyList<StoredSigningKey>> ListAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<StoredSigningKey> keys = storage.Main.Read(session => session.Read(
            row => new StoredSigningKey(
                row.GetInt32(0), row.GetString(1), row.GetString(2), (byte[])row.GetValue(3), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4))),
            "SELECT generation, kid, alg, protected_private_key, created_at FROM signing_keys ORDER BY generation"));
        return Task.FromResult(keys);
    }

    public Task<AddSigningKeyOutcome> AddAsync(StoredSigningKey key, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session => session.Change(
            "INSERT INTO signing_keys (generation, kid, alg, protected_private_key, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            key.Generation,
            key.Kid,
            key.Alg,
            key.ProtectedPrivateKey.ToArray(),
            key.CreatedAt.ToUnixTimeMilliseconds()) == 1
            ? AddSigningKeyOutcome.Added
            : AddSigningKeyOutcome.AlreadyThere,
        cancellationToken);
}
