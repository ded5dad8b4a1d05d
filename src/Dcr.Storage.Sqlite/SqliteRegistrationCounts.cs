using Dcr.Clients;
using Dcr.Registration;

namespace Dcr.Storage.Sqlite;

/// <summary>
/// How many live clients each onboarding client has, and how many it registered in its current hour; changed with what is counted, in one
/// transaction.
/// </summary>
internal static class SqliteRegistrationCounts
{
    /// <summary>Null when there is room. Changes nothing.</summary>
    public static RegisterClientOutcome? Fault(SqliteSession session, RegistrationLimits limits, DateTimeOffset now)
    {
        var (live, hourBeganAt, inHour) = session.Read(
            row => (row.GetInt64(0), DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(1)), row.GetInt64(2)),
            "SELECT live, hour_began_at, in_hour FROM registration_counts WHERE onboarding_client = $1",
            limits.OnboardingClient).SingleOrDefault();
        if (live >= limits.MaxLiveClients)
        {
            return new RegisterClientOutcome.TooManyLiveClients();
        }
        var hourEndsAt = RegistrationLimits.EndOfHour(hourBeganAt, now);
        return limits.MaxRegistrationsPerHour is { } most && (hourEndsAt is null ? 0 : inHour) >= most
            ? new RegisterClientOutcome.TooManyThisHour(hourEndsAt ?? now + RegistrationLimits.Window)
            : null;
    }

    public static long Live(SqliteSession session, string onboardingClient) =>
        session.Read(
            row => row.GetInt64(0),
            "SELECT live FROM registration_counts WHERE onboarding_client = $1",
            onboardingClient).SingleOrDefault();

    public static void CountRegistration(SqliteSession session, string onboardingClient, DateTimeOffset now) => session.Change(
        """
        INSERT INTO registration_counts (onboarding_client, live, hour_began_at, in_hour) VALUES ($1, 1, $2, 1)
        ON CONFLICT (onboarding_client) DO UPDATE SET
            live = live + 1,
            in_hour = CASE WHEN abs($2 - hour_began_at) < $3 THEN in_hour + 1 ELSE 1 END,
            hour_began_at = CASE WHEN abs($2 - hour_began_at) < $3 THEN hour_began_at ELSE $2 END
        """,
        onboardingClient,
        now.ToUnixTimeMilliseconds(),
        (long)RegistrationLimits.Window.TotalMilliseconds);

    public static void CountRevival(SqliteSession session, string onboardingClient) => session.Change(
        """
        INSERT INTO registration_counts (onboarding_client, live, hour_began_at, in_hour) VALUES ($1, 1, 0, 0)
        ON CONFLICT (onboarding_client) DO UPDATE SET live = live + 1
        """,
        onboardingClient);

    /// <param name="session">Within the transaction that ends the client.</param>
    /// <param name="onboardingClient">Null: nobody registered the client, so it was not counted.</param>
    public static void Release(SqliteSession session, string? onboardingClient)
    {
        if (onboardingClient is not null)
        {
            session.Change("UPDATE registration_counts SET live = live - 1 WHERE onboarding_client = $1", onboardingClient);
        }
    }
}
