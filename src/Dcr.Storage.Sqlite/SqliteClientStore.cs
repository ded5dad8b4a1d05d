using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Storage.Sqlite;

/// <summary>Each write is one transaction with its audit record; the single writer makes every look-then-write atomic.</summary>
internal sealed class SqliteClientStore(SqliteStorage storage, TimeProvider time) : IClientStore
{
    /// <summary>In the words of its index.</summary>
    private const string Excepted = "assertion_exception IS NOT NULL OR exception_needed_at IS NOT NULL";

    public Task<Client?> FindAsync(string clientId, CancellationToken cancellationToken) => Task.FromResult(storage.Main.Read(session =>
        session.Read(
            SqliteClientRow.Read, $"SELECT {SqliteClientRow.Columns} FROM clients WHERE client_id = $1", clientId).SingleOrDefault()));

    public Task<IReadOnlyList<Client>> ListAsync(ClientFilter filter, ClientCursor? after, int limit, CancellationToken cancellationToken)
    {
        // With an origin, its index finds the clients, and with a policy or an exception its own; the plus keeps SQLite from any other.
        var plus = filter.Origin is null && !filter.OnboardingOnly && filter.AssertionException != true ? "" : "+";
        var where = SqliteOrigin.Where(filter.Origin, first: 5)
            + (filter.Status is null ? "" : $"{plus}status = $4 AND ")
            + (filter.AssertionException is not { } excepted ? "" : excepted ? $"({Excepted}) AND " : $"NOT ({Excepted}) AND ")
            + (filter.OnboardingOnly ? "policy IS NOT NULL AND " : "");
        var sql = $"SELECT {SqliteClientRow.Columns} FROM clients WHERE {where}(created_at, client_id) < ($1, $2) ORDER BY created_at "
            + "DESC, client_id DESC LIMIT $3";
        IReadOnlyList<Client> found = storage.Main.Read(session => session.Read(
            SqliteClientRow.Read,
            sql,
            [
                after?.CreatedAt.ToUnixTimeMilliseconds() ?? long.MaxValue,
                after?.ClientId ?? "",
                limit,
                (long?)filter.Status,
                .. SqliteOrigin.Values(filter.Origin),
            ]));
        return Task.FromResult(found);
    }

    public Task<bool> HasAdministratorAsync(CancellationToken cancellationToken) => Task.FromResult(storage.Main.Read(session =>
        session.Read(row => row.GetInt64(0), "SELECT 1 FROM clients WHERE administers = 1 LIMIT 1").Count > 0));

    public Task<AddClientOutcome> AddAsync(Client client, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session =>
        {
            if (!SqliteGrounds.Hold(session, grounds, time.GetUtcNow()))
            {
                return AddClientOutcome.GroundsChanged;
            }
            if (!SqliteClientRow.Insert(session, client))
            {
                return AddClientOutcome.AlreadyThere;
            }
            SqliteAuditStore.Insert(session, record);
            return AddClientOutcome.Added;
        },
        cancellationToken);

    public Task<ReplaceOutcome> ReplaceAsync(
        Client replacement, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session =>
            SqliteClientChange.Replace(
                session, replacement, record, grounds, time.GetUtcNow(), stored => stored.Status.IsLive() || !replacement.Status.IsLive()),
        cancellationToken);

    public Task<ReplaceOutcome> SignOutAsync(
        string clientId, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session => SqliteClientChange.SignOut(session, clientId, version, record, grounds, time.GetUtcNow()), cancellationToken);

    public Task<ReplaceOutcome> DeleteAsync(
        string clientId, long version, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session => SqliteClientChange.Delete(session, clientId, version, record, grounds, time.GetUtcNow()), cancellationToken);

    public Task<bool> RecordAuthenticationAsync(
        string clientId, bool byException, DateTimeOffset at, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session => session.Change(
            """
            UPDATE clients SET last_used_at = max(ifnull(last_used_at, 0), $3), exception_needed_at = CASE
                WHEN $2 THEN max(ifnull(exception_needed_at, 0), $3)
                WHEN exception_needed_at < $5 THEN NULL
                ELSE exception_needed_at END
            WHERE client_id = $1 AND status = $4
            """,
            clientId,
            byException ? 1L : 0L,
            at.ToUnixTimeMilliseconds(),
            (long)ClientStatus.Active,
            (at - Client.ExceptionForgottenAfter).ToUnixTimeMilliseconds()) == 1,
        cancellationToken);

    public Task ForgetPreviousRegistrationTokenAsync(string clientId, string currentTokenHash, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session => session.Change(
            """
            UPDATE clients SET registration_access = json_object('token_hash', $2)
            WHERE client_id = $1 AND json_extract(registration_access, '$.token_hash') = $2
            """,
            clientId,
            currentTokenHash),
        cancellationToken);
}
