using Dcr.Auditing;
using Dcr.Protocol;
using Dcr.SigningKeys;
using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

internal sealed class SqliteSigningKeyStore(SqliteStorage storage, TimeProvider time) : ISigningKeyStore
{
    private const string Columns = "generation, kid, alg, protected_private_key, created_at, activates_at, revokes_up_to";

    public Task<IReadOnlyList<StoredSigningKey>> ListAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<StoredSigningKey> keys = storage.Main.Read(
            session => session.Read(ReadRow, $"SELECT {Columns} FROM signing_keys ORDER BY generation"));
        return Task.FromResult(keys);
    }

    public Task<AddSigningKeyOutcome> AddAsync(
        StoredSigningKey key, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session =>
        {
            if (!SqliteGrounds.Hold(session, grounds, time.GetUtcNow()))
            {
                return AddSigningKeyOutcome.GroundsChanged;
            }
            var added = session.Change(
                $"INSERT INTO signing_keys ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                key.Generation,
                key.Kid,
                key.Alg,
                key.ProtectedPrivateKey.ToArray(),
                key.CreatedAt.ToUnixTimeMilliseconds(),
                key.ActivatesAt.ToUnixTimeMilliseconds(),
                key.RevokesUpTo);
            if (added == 0)
            {
                return AddSigningKeyOutcome.AlreadyThere;
            }
            SqliteAuditStore.Insert(session, record);
            return AddSigningKeyOutcome.Added;
        },
        cancellationToken);

    public Task RemoveAsync(int generation, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session => session.Change("DELETE FROM signing_keys WHERE generation = $1", generation), cancellationToken);

    private static StoredSigningKey ReadRow(SqliteDataReader row) => new(
        row.GetInt32(0),
        row.GetString(1),
        row.GetString(2),
        (byte[])row.GetValue(3),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(4)),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(5)),
        row.GetInt32(6));
}
