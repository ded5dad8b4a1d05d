using System.Security.Cryptography;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;

namespace Dcr.Storage.MongoDb;

/// <summary>
/// Counts first, then the client, which is announced before what it rests on is read and made afterwards (<see cref="MongoDbEffects"/>): a
/// crash in between costs a use, and room until it is swept up, and never leaves a client that was not counted or rests on nothing.
/// </summary>
internal sealed class MongoDbRegistrationStore(
    MongoDbInitialAccessTokens tokens,
    MongoDbRegistrationCounts counts,
    MongoDbRegistrationAnswers answers,
    MongoDbAbandonedRegistrations abandoned,
    MongoDbClientStore clients,
    MongoDbClientChange change) : IRegistrationStore
{
    private const int MaxAnnouncements = 6;

    /// <summary>
    /// From the first write on the driver's own deadlines apply: a caller that goes away leaves nothing half-done that its repeat could not
    /// go on with.
    /// </summary>
    public async Task<RegisterClientOutcome> RegisterAsync(NewRegistration registration, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (registration.Answer is null)
        {
            return await RegisterOnceAsync(registration);
        }
        return await answers.ClaimAsync(registration.Answer, registration.Client.ClientId, cancellationToken) switch
        {
            ClaimOutcome.Claimed claimed => await RegisterClaimedAsync(registration, registration.Answer, claimed.IsNew),
            ClaimOutcome.Stands stands => stands.Outcome,
            var other => throw new InvalidOperationException($"An outcome of a claim of an unknown kind: {other}"),
        };
    }

    public async Task<RegisterClientOutcome> TryOutAsync(
        InitialAccessTokenUse use, RegistrationLimits limits, CancellationToken cancellationToken) =>
        await tokens.IsUsedUpAsync(use, cancellationToken) ? new RegisterClientOutcome.TokenUsedUp()
            : use.Statement is { } statement
                && await tokens.IsUsedUpAsync(statement, cancellationToken) ? new RegisterClientOutcome.StatementUsedUp()
            : await counts.FaultAsync(limits, cancellationToken) ?? new RegisterClientOutcome.Registered();

    public Task<long> CountLiveAsync(string onboardingClient, CancellationToken cancellationToken) =>
        counts.LiveAsync(onboardingClient, cancellationToken);

    public Task<RegistrationAnswer?> FindAnswerAsync(string key, CancellationToken cancellationToken) =>
        answers.FindAsync(key, cancellationToken);

    /// <summary>Nobody else knows the client id: what came to nothing is given back at once.</summary>
    private async Task<RegisterClientOutcome> RegisterOnceAsync(NewRegistration registration)
    {
        if (!await tokens.TryUseAsync(registration.Use, claim: null))
        {
            return new RegisterClientOutcome.TokenUsedUp();
        }
        if (registration.Use.Statement is { } statement && !await tokens.TryUseAsync(statement, claim: null))
        {
            await tokens.GiveBackAsync(registration.Use.Jti, claim: null);
            return new RegisterClientOutcome.StatementUsedUp();
        }
        var reservation = MongoDbRegistrationCounts.NewReservation();
        if (await ReserveAsync(registration, reservation) is { } full)
        {
            await GiveBackAsync(registration, claim: null);
            return full;
        }
        switch (await InsertAsync(registration, reservation))
        {
            case EffectOutcome.Done:
                return new RegisterClientOutcome.Registered();
            case EffectOutcome.GroundsChanged:
                await counts.CancelAsync(registration.Limits.OnboardingClient, reservation, CancellationToken.None);
                await GiveBackAsync(registration, claim: null);
                return new RegisterClientOutcome.GroundsChanged();
            default:
                throw new StoreUnavailableException(
                    "The registration took so long that its client id was fenced off; nothing was registered.");
        }
    }

    /// <summary>
    /// Others may be at the same claim, or have been: every step counts once, and whoever makes the client makes it for all.
    /// </summary>
    private async Task<RegisterClientOutcome> RegisterClaimedAsync(NewRegistration registration, RegistrationAnswer answer, bool isNew)
    {
        var (clientId, onboardingClient) = (registration.Client.ClientId, registration.Limits.OnboardingClient);
        if (!await tokens.TryUseAsync(registration.Use, clientId))
        {
            return await GiveUpAsync(registration, answer, reservation: null, new RegisterClientOutcome.TokenUsedUp());
        }
        if (registration.Use.Statement is { } statement && !await tokens.TryUseAsync(statement, clientId))
        {
            return await GiveUpAsync(registration, answer, reservation: null, new RegisterClientOutcome.StatementUsedUp());
        }
        var reservation = isNew ? null : await counts.FindReservationAsync(onboardingClient, clientId, CancellationToken.None);
        if (reservation is null)
        {
            reservation = MongoDbRegistrationCounts.NewReservation();
            if (await ReserveAsync(registration, reservation) is { } full)
            {
                return await GiveUpAsync(registration, answer, reservation: null, full);
            }
        }
        switch (await InsertClaimedAsync(registration, reservation))
        {
            case EffectOutcome.Done:
                // In this order: whoever counts a use after it was closed finds the answer finished, and gives that use back.
                await Task.WhenAll(tokens.CloseAsync(registration.Use.Jti, clientId), CloseStatementAsync(registration));
                await answers.FinishAsync(answer.Key, clientId);
                return new RegisterClientOutcome.Registered();
            case EffectOutcome.GroundsChanged:
                return await GiveUpAsync(registration, answer, reservation, new RegisterClientOutcome.GroundsChanged());
            default:
                return await GiveUpAsync(registration, answer, reservation, refusal: null);
        }
    }

    /// <summary>Whoever announced the client last makes it; the others wait a moment, and find it or announce it again.</summary>
    private async Task<EffectOutcome> InsertClaimedAsync(NewRegistration registration, string reservation)
    {
        for (var attempt = 1; ; attempt++)
        {
            var inserted = await InsertAsync(registration, reservation);
            if (inserted != EffectOutcome.Conflict
                || attempt == MaxAnnouncements
                || !await clients.IsAnnouncedOrFreeAsync(registration.Client.ClientId))
            {
                return inserted;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(25, 100) * attempt));
        }
    }

    /// <summary>
    /// First nobody can make the client any more, then what was taken for it is given back; unless somebody has made it, whose answer
    /// stands.
    /// </summary>
    /// <param name="registration">Under a claim.</param>
    /// <param name="answer">The claim.</param>
    /// <param name="reservation">The room that was taken. Null: none by this call.</param>
    /// <param name="refusal">Why it came to nothing. Null: its client id is in use or fenced off.</param>
    private async Task<RegisterClientOutcome> GiveUpAsync(
        NewRegistration registration, RegistrationAnswer answer, string? reservation, RegisterClientOutcome? refusal)
    {
        var clientId = registration.Client.ClientId;
        var isFenced = await abandoned.TryFenceAsync(clientId, CancellationToken.None);
        if (reservation is not null && (isFenced || await clients.FindReservationAsync(clientId) != reservation))
        {
            await counts.CancelAsync(registration.Limits.OnboardingClient, reservation, CancellationToken.None);
        }
        if (!isFenced)
        {
            if (await answers.IsFinishedAsync(answer.Key, clientId))
            {
                await GiveBackAsync(registration, clientId);
            }
            return await answers.FindAsync(answer.Key, CancellationToken.None) is { } given
                ? new RegisterClientOutcome.AnsweredBefore(given)
                : throw new StoreUnavailableException("The registration was made by another request, and its answer cannot be read.");
        }
        await GiveBackAsync(registration, clientId);
        await answers.AbandonAsync(answer.Key, clientId);
        return refusal
            ?? throw new StoreUnavailableException(
                "The registration took so long that its client id was fenced off; nothing was registered.");
    }

    private async Task GiveBackAsync(NewRegistration registration, string? claim)
    {
        await tokens.GiveBackAsync(registration.Use.Jti, claim);
        if (registration.Use.Statement is { } statement)
        {
            await tokens.GiveBackAsync(statement.Key, claim);
        }
    }

    private Task CloseStatementAsync(NewRegistration registration) =>
        registration.Use.Statement is { } statement ? tokens.CloseAsync(statement.Key, registration.Client.ClientId) : Task.CompletedTask;

    private Task<RegisterClientOutcome?> ReserveAsync(NewRegistration registration, string reservation) =>
        counts.ReserveAsync(registration.Limits, registration.Client.ClientId, reservation, countsForHour: true, CancellationToken.None);

    // The outbox settles the count when it moves the record.
    private Task<EffectOutcome> InsertAsync(NewRegistration registration, string reservation) =>
        change.InsertAsync(registration.Client, registration.Record, reservation, registration.Grounds, CancellationToken.None);
}
