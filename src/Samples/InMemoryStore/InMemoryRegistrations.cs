using Dcr.Clients;
using Dcr.Registration;

namespace InMemoryStore;

internal sealed class InMemoryRegistrations(InMemoryDatabase database, TimeProvider time) : IRegistrationStore
{
    private static readonly RegisterClientOutcome s_registered = new RegisterClientOutcome.Registered();
    private static readonly RegisterClientOutcome s_groundsChanged = new RegisterClientOutcome.GroundsChanged();

    public Task<RegisterClientOutcome> RegisterAsync(NewRegistration registration, CancellationToken cancellationToken) =>
        database.ChangeAsync(
            time.GetUtcNow(), registration.Grounds, registration.Record, s_registered, s_groundsChanged, () => Register(registration));

    public Task<RegisterClientOutcome> TryOutAsync(
        InitialAccessTokenUse use, RegistrationLimits limits, CancellationToken cancellationToken) =>
        database.DoAsync(() => Fault(use, limits) ?? s_registered);

    public Task<long> CountLiveAsync(string onboardingClient, CancellationToken cancellationToken) =>
        database.DoAsync(() => database.CountLive(onboardingClient));

    public Task<RegistrationAnswer?> FindAnswerAsync(string key, CancellationToken cancellationToken) =>
        database.DoAsync(() => FindAnswer(key));

    private RegisterClientOutcome Register(NewRegistration registration)
    {
        var (use, limits) = (registration.Use, registration.Limits);
        if (registration.Answer is { } answer && FindAnswer(answer.Key) is { } given)
        {
            return new RegisterClientOutcome.AnsweredBefore(given);
        }
        if (Fault(use, limits) is { } fault)
        {
            return fault;
        }
        database.Clients.Add(registration.Client.ClientId, registration.Client);
        database.Uses[use.Jti] = Uses(use.Jti) + 1;
        if (use.Statement is { } statement)
        {
            database.Uses[statement.Key] = Uses(statement.Key) + 1;
        }
        var now = time.GetUtcNow();
        database.Hours[limits.OnboardingClient] = Hour(limits, now) is var (began, count) ? (began, count + 1) : (now, 1);
        if (registration.Answer is { } kept)
        {
            database.Answers[kept.Key] = kept;
        }
        return s_registered;
    }

    private RegisterClientOutcome? Fault(InitialAccessTokenUse use, RegistrationLimits limits)
    {
        if (Uses(use.Jti) >= use.MaxUses)
        {
            return new RegisterClientOutcome.TokenUsedUp();
        }
        if (use.Statement is { } statement && Uses(statement.Key) >= statement.MaxUses)
        {
            return new RegisterClientOutcome.StatementUsedUp();
        }
        if (database.CountLive(limits.OnboardingClient) >= limits.MaxLiveClients)
        {
            return new RegisterClientOutcome.TooManyLiveClients();
        }
        var now = time.GetUtcNow();
        var hour = Hour(limits, now);
        return (hour?.Registrations ?? 0) >= limits.MaxRegistrationsPerHour
            ? new RegisterClientOutcome.TooManyThisHour((hour?.BeganAt ?? now) + RegistrationLimits.Window)
            : null;
    }

    private int Uses(string id) => database.Uses.GetValueOrDefault(id);

    /// <summary>The hour that runs now. Null: none does.</summary>
    private (DateTimeOffset BeganAt, int Registrations)? Hour(RegistrationLimits limits, DateTimeOffset now) =>
        database.Hours.TryGetValue(limits.OnboardingClient, out var hour) && RegistrationLimits.EndOfHour(hour.BeganAt, now) is not null
            ? hour
            : null;

    private RegistrationAnswer? FindAnswer(string key) =>
        database.Answers.TryGetValue(key, out var answer) && answer.ExpiresAt >= time.GetUtcNow() ? answer : null;
}
