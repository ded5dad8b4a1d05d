using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Protocol;

namespace Dcr.Storage.Sqlite;

internal sealed class SqliteClientLifecycleStore(SqliteStorage storage, TimeProvider time) : IClientLifecycleStore
{
    // Word for word the condition of the index clients_by_review, which must be named: SQLite would rather sort all clients of
    // these statuses.
    private const string Reviewed = "review_at IS NOT NULL AND status IN (0, 3)";

    public Task<IReadOnlyList<Client>> ListDueAsync(DateTimeOffset now, ReviewCursor? after, int limit, CancellationToken cancellationToken)
    {
        IReadOnlyList<Client> due = storage.Main.Read(session => session.Read(
            SqliteClientRow.Read,
            $"SELECT {SqliteClientRow.Columns} FROM clients INDEXED BY clients_by_review WHERE {Reviewed} AND review_at <= $1 AND "
                + "(review_at, client_id) > ($2, $3) ORDER BY review_at, client_id LIMIT $4",
            now.ToUnixTimeMilliseconds(),
            after?.ReviewAt.ToUnixTimeMilliseconds() ?? long.MinValue,
            after?.ClientId ?? "",
            limit));
        return Task.FromResult(due);
    }

    public Task<long> CountLiveAsync(CancellationToken cancellationToken) => Task.FromResult(storage.Main.Read(session =>
        session.Read(row => row.GetInt64(0), "SELECT ifnull(sum(live), 0) FROM registration_counts").Single()));

    public Task ReviewAgainAsync(string clientId, DateTimeOffset dueAt, DateTimeOffset? reviewAt, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session => session.Change(
            "UPDATE clients SET review_at = $3 WHERE client_id = $1 AND review_at = $2",
            clientId,
            dueAt.ToUnixTimeMilliseconds(),
            reviewAt?.ToUnixTimeMilliseconds()),
        cancellationToken);

    public Task<ReplaceOutcome> ExpireAsync(Client expired, AuditRecord record, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session =>
            SqliteClientChange.Replace(
                session,
                expired,
                record,
                Grounds.Server,
                time.GetUtcNow(),
                stored => stored.LastUsedAt == expired.LastUsedAt?.ToUnixTimeMilliseconds()),
        cancellationToken);

    public Task<ReplaceOutcome> ReplaceAndEndTokensAsync(
        Client replacement, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session => SqliteClientChange.Replace(
            session, replacement, record, grounds, time.GetUtcNow(), stored =>
                stored.Status.IsLive() || !replacement.Status.IsLive(), endTokens: true),
        cancellationToken);

    public Task<ReviveOutcome> ReviveAsync(
        Client revived, RegistrationLimits limits, AuditRecord record, Grounds grounds, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session =>
        {
            var now = time.GetUtcNow();
            if (!SqliteGrounds.Hold(session, grounds, now))
            {
                return ReviveOutcome.GroundsChanged;
            }
            var found = SqliteClientChange.Find(
                session, revived.ClientId, revived.Version - 1, stored => stored.Status == ClientStatus.Expired, out _);
            if (found != ReplaceOutcome.Done)
            {
                return found == ReplaceOutcome.Gone ? ReviveOutcome.Gone : ReviveOutcome.VersionConflict;
            }
            if (SqliteRegistrationCounts.Fault(session, limits with { MaxRegistrationsPerHour = null }, now) is not null)
            {
                return ReviveOutcome.TooManyLiveClients;
            }
            SqliteRegistrationCounts.CountRevival(session, limits.OnboardingClient);
            SqliteClientRow.Replace(session, revived);
            SqliteAuditStore.Insert(session, record);
            return ReviveOutcome.Done;
        },
        cancellationToken);
}
