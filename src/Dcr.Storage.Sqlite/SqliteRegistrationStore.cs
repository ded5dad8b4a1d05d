using Dcr.Clients;
using Dcr.Registration;
using Microsoft.Data.Sqlite;

namespace Dcr.Storage.Sqlite;

/// <summary>A registration is one transaction, so every limit is as strict as the single writer.</summary>
internal sealed class SqliteRegistrationStore(SqliteStorage storage, TimeProvider time) : IRegistrationStore
{
    // A few at each use keep both tables at what is still needed, without a job of their own.
    private const int ForgetAtOnce = 10;

    private readonly SqliteForgetting _forgetting = new(time);

    public Task<RegisterClientOutcome> RegisterAsync(NewRegistration registration, CancellationToken cancellationToken) =>
        storage.Main.WriteAsync(
        session =>
        {
            var now = time.GetUtcNow();
            Forget(session);
            if (!SqliteGrounds.Hold(session, registration.Grounds, now))
            {
                return new RegisterClientOutcome.GroundsChanged();
            }
            if (registration.Answer is { } answer && FindAnswer(session, answer.Key, now) is { } given)
            {
                return new RegisterClientOutcome.AnsweredBefore(given);
            }
            if (Fault(session, registration.Use, registration.Limits, now) is { } fault)
            {
                return fault;
            }
            CountUse(session, registration.Use.Jti, registration.Use.ExpiresAt);
            if (registration.Use.Statement is { } statement)
            {
                CountUse(session, statement.Key, statement.ExpiresAt);
            }
            SqliteRegistrationCounts.CountRegistration(session, registration.Limits.OnboardingClient, now);
            if (!SqliteClientRow.Insert(session, registration.Client))
            {
                throw new InvalidOperationException("A new client has the id of another: 128 random bits do not repeat.");
            }
            SqliteAuditStore.Insert(session, registration.Record);
            if (registration.Answer is { } kept)
            {
                KeepAnswer(session, kept);
            }
            return new RegisterClientOutcome.Registered();
        },
        cancellationToken);

    public Task<RegisterClientOutcome> TryOutAsync(
        InitialAccessTokenUse use, RegistrationLimits limits, CancellationToken cancellationToken) =>
        Task.FromResult(
        storage.Main.Read(session => Fault(session, use, limits, time.GetUtcNow()) ?? new RegisterClientOutcome.Registered()));

    public Task<long> CountLiveAsync(string onboardingClient, CancellationToken cancellationToken) => Task.FromResult(
        storage.Main.Read(session => SqliteRegistrationCounts.Live(session, onboardingClient)));

    public Task<RegistrationAnswer?> FindAnswerAsync(string key, CancellationToken cancellationToken) => Task.FromResult(
        storage.Main.Read(session => FindAnswer(session, key, time.GetUtcNow())));

    private static RegisterClientOutcome? Fault(
        SqliteSession session, InitialAccessTokenUse use, RegistrationLimits limits, DateTimeOffset now)
    {
        if (Uses(session, use.Jti) >= use.MaxUses)
        {
            return new RegisterClientOutcome.TokenUsedUp();
        }
        return use.Statement is { } statement && Uses(session, statement.Key) >= statement.MaxUses
            ? new RegisterClientOutcome.StatementUsedUp()
            : SqliteRegistrationCounts.Fault(session, limits, now);
    }

    // A token is known by its jti, a statement by its key, which is as long as a hash and never a jti of this server.
    private static long Uses(SqliteSession session, string id) =>
        session.Read(row => row.GetInt64(0), "SELECT uses FROM initial_access_token_uses WHERE jti = $1", id).SingleOrDefault();

    private static void CountUse(SqliteSession session, string id, DateTimeOffset expiresAt) => session.Change(
        "INSERT INTO initial_access_token_uses (jti, uses, expires_at) VALUES ($1, 1, $2) ON CONFLICT (jti) DO UPDATE SET uses = uses + 1",
        id,
        expiresAt.ToUnixTimeMilliseconds());

    private void Forget(SqliteSession session)
    {
        var before = _forgetting.Before(session);
        session.Change(
            "DELETE FROM initial_access_token_uses WHERE jti IN (SELECT jti FROM initial_access_token_uses WHERE expires_at < $1 LIMIT $2)",
            before,
            ForgetAtOnce);
        session.Change(
            "DELETE FROM registration_answers WHERE key IN (SELECT key FROM registration_answers WHERE expires_at < $1 LIMIT $2)",
            before,
            ForgetAtOnce);
    }

    // What has expired is not there, and makes room for a new answer under its key.
    private static RegistrationAnswer? FindAnswer(SqliteSession session, string key, DateTimeOffset now) => session.Read(
        ReadAnswer,
        "SELECT key, body_hash, protected_answer, proved_by, client_id, initial_token_jti, expires_at FROM registration_answers WHERE key "
            + "= $1 AND expires_at >= $2",
        key,
        now.ToUnixTimeMilliseconds()).SingleOrDefault();

    private static void KeepAnswer(SqliteSession session, RegistrationAnswer answer) => session.Change(
        "INSERT OR REPLACE INTO registration_answers (key, body_hash, protected_answer, proved_by, client_id, initial_token_jti, "
            + "expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        answer.Key,
        answer.BodyHash,
        answer.ProtectedAnswer,
        answer.ProvedBy,
        answer.ClientId,
        answer.InitialTokenJti,
        answer.ExpiresAt.ToUnixTimeMilliseconds());

    private static RegistrationAnswer ReadAnswer(SqliteDataReader row) => new(
        row.GetString(0),
        row.GetString(1),
        row.GetString(2),
        Text(row, 3),
        // An answer of an earlier version names no client: then none is found, and it is not given again.
        Text(row, 4) ?? "",
        Text(row, 5),
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(6)));

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
