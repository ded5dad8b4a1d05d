using Dcr.Auditing;
using Dcr.ClientAuthentication;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;

namespace Dcr.Server.Storage.Sqlite;

/// <summary>Each write is one transaction with its audit record; the single writer makes every look-then-write atomic.</summary>
internal sealed class SqliteClientStore(SqliteStorage storage, TimeProvider time) : IClientStore
{
    private const string Columns = "client_id, status, version, created_at, audience_seen, audience_rule, metadata, registration_access, origin, policy, quarantined_keys";

    public Task<Client?> FindAsync(string clientId, CancellationToken cancellationToken) => Task.FromResult(storage.Main.Read(session =>
        session.Read(SqliteClientRow.Read, $"SELECT {Columns} FROM clients WHERE client_id = $1", clientId).SingleOrDefault()));

    public Task<IReadOnlyList<Client>> ListAsync(ClientFilter filter, ClientCursor? after, int limit, CancellationToken cancellationToken)
    {
        var where = (filter.Status is null ? "" : "status = $4 AND ") + (filter.AssertionAudienceSeen is null ? "" : "audience_seen = $5 AND ");
        var sql = $"SELECT {Columns} FROM clients WHERE {where}(created_at, client_id) < ($1, $2) ORDER BY created_at DESC, client_id DESC LIMIT $3";
        IReadOnlyList<Client> found = storage.Main.Read(session => session.Read(
            SqliteClientRow.Read,
            sql,
            after?.CreatedAt.ToUnixTimeMilliseconds() ?? long.MaxValue,
            after?.ClientId ?? "",
            limit,
            (long?)filter.Status,
            (long?)filter.AssertionAudienceSeen));
        return Task.FromResult(found);
    }

    public Task<bool> IsEmptyAsync(CancellationToken cancellationToken) => Task.FromResult(storage.Main.Read(session =>
        session.Read(row => row.GetInt64(0), "SELECT 1 FROM clients LIMIT 1").Count == 0));

    public Task<AddClientOutcome> AddAsync(Client client, AuditRecord record, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session =>
        {
            if (!Insert(session, client))
            {
                return AddClientOutcome.AlreadyThere;
            }
            SqliteAuditStore.Insert(session, record);
            return AddClientOutcome.Added;
        },
        cancellationToken);

    public Task<RegisterClientOutcome> RegisterAsync(Client client, InitialAccessTokenUse use, AuditRecord record, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session =>
        {
            if (!SqliteInitialAccessTokens.TryUse(session, use, time.GetUtcNow()))
            {
                return RegisterClientOutcome.TokenUsedUp;
            }
            if (!Insert(session, client))
            {
                throw new InvalidOperationException("A new client has the id of another: 128 random bits do not repeat.");
            }
            SqliteAuditStore.Insert(session, record);
            return RegisterClientOutcome.Registered;
        },
        cancellationToken);

    public Task<ReplaceOutcome> ReplaceAsync(Client replacement, AuditRecord record, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session =>
        {
            var changed = session.Change(
                """
                UPDATE clients SET status = $1, version = $2, audience_rule = $3, metadata = $4, registration_access = $5, origin = $6, policy = $7, quarantined_keys = $8
                WHERE client_id = $9 AND version = $2 - 1
                """,
                (long)replacement.Status,
                replacement.Version,
                (long?)replacement.AssertionAudienceRule,
                SqliteClientRow.Metadata(replacement),
                SqliteClientRow.RegistrationAccess(replacement),
                SqliteClientRow.Origin(replacement),
                SqliteClientRow.Policy(replacement),
                SqliteClientRow.QuarantinedKeys(replacement),
                replacement.ClientId);
            return Conclude(session, changed, replacement.ClientId, record);
        },
        cancellationToken);

    public Task<ReplaceOutcome> DeleteAsync(string clientId, long version, AuditRecord record, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session =>
        {
            var outcome = Conclude(session, session.Change("DELETE FROM clients WHERE client_id = $1 AND version = $2", clientId, version), clientId, record);
            if (outcome == ReplaceOutcome.Done)
            {
                session.Change("DELETE FROM key_uses WHERE client_id = $1", clientId);
            }
            return outcome;
        },
        cancellationToken);

    public Task RecordAssertionAudienceAsync(string clientId, AssertionAudience seen, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session => session.Change("UPDATE clients SET audience_seen = $2 WHERE client_id = $1 AND audience_seen < $2", clientId, (long)seen),
        cancellationToken);

    public Task ForgetPreviousRegistrationTokenAsync(string clientId, string currentTokenHash, CancellationToken cancellationToken) => storage.Main.WriteAsync(
        session => session.Change(
            """
            UPDATE clients SET registration_access = json_object('token_hash', $2)
            WHERE client_id = $1 AND json_extract(registration_access, '$.token_hash') = $2
            """,
            clientId,
            currentTokenHash),
        cancellationToken);

    private static bool Insert(SqliteSession session, Client client) => session.Change(
        $"INSERT INTO clients ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
        client.ClientId,
        (long)client.Status,
        client.Version,
        client.CreatedAt.ToUnixTimeMilliseconds(),
        (long)(client.AssertionAudienceSeen ?? 0),
        (long?)client.AssertionAudienceRule,
        SqliteClientRow.Metadata(client),
        SqliteClientRow.RegistrationAccess(client),
        SqliteClientRow.Origin(client),
        SqliteClientRow.Policy(client),
        SqliteClientRow.QuarantinedKeys(client)) == 1;

    /// <summary>Records a change that was made, or finds out why none was.</summary>
    private static ReplaceOutcome Conclude(SqliteSession session, int changed, string clientId, AuditRecord record)
    {
        if (changed == 1)
        {
            SqliteAuditStore.Insert(session, record);
            return ReplaceOutcome.Done;
        }
        return session.Read(row => row.GetInt64(0), "SELECT 1 FROM clients WHERE client_id = $1", clientId).Count == 1
            ? ReplaceOutcome.VersionConflict
            : ReplaceOutcome.Gone;
    }
}
