using Dcr.Protocol;
using Dcr.Registration;

namespace Dcr.Server.Storage.MongoDb;

/// <summary>
/// Counts first, then the client: a crash in between costs a use, and room until it is swept up, and never leaves a client
/// that was not counted.
/// </summary>
internal sealed class MongoDbRegistrationStore(
    MongoDbInitialAccessTokens tokens, MongoDbRegistrationCounts counts, MongoDbRegistrationAnswers answers, MongoDbClientChange change) : IRegistrationStore
{
    public async Task<RegisterClientOutcome> RegisterAsync(NewRegistration registration, CancellationToken cancellationToken)
    {
        if (registration.Answer is null)
        {
            return await CountAndInsertAsync(registration, cancellationToken);
        }
        var clientId = registration.Client.ClientId;
        if (await answers.ClaimAsync(registration.Answer, clientId, cancellationToken) is { } given)
        {
            return new RegisterClientOutcome.AnsweredBefore(given);
        }
        var outcome = await CountAndInsertAsync(registration, cancellationToken);
        if (outcome is RegisterClientOutcome.Registered)
        {
            await answers.FinishAsync(registration.Answer.Key, clientId, cancellationToken);
        }
        else
        {
            await answers.AbandonAsync(registration.Answer.Key, clientId, cancellationToken);
        }
        return outcome;
    }

    public async Task<RegisterClientOutcome> TryOutAsync(InitialAccessTokenUse use, RegistrationLimits limits, CancellationToken cancellationToken) =>
        await tokens.IsUsedUpAsync(use, cancellationToken) ? new RegisterClientOutcome.TokenUsedUp()
            : use.Statement is { } statement && await tokens.IsUsedUpAsync(statement, cancellationToken) ? new RegisterClientOutcome.StatementUsedUp()
            : await counts.FaultAsync(limits, cancellationToken) ?? new RegisterClientOutcome.Registered();

    public Task<long> CountLiveAsync(string onboardingClient, CancellationToken cancellationToken) => counts.LiveAsync(onboardingClient, cancellationToken);

    public Task<RegistrationAnswer?> FindAnswerAsync(string key, CancellationToken cancellationToken) => answers.FindAsync(key, cancellationToken);

    private async Task<RegisterClientOutcome> CountAndInsertAsync(NewRegistration registration, CancellationToken cancellationToken)
    {
        var client = registration.Client;
        if (!await tokens.TryUseAsync(registration.Use, cancellationToken))
        {
            return new RegisterClientOutcome.TokenUsedUp();
        }
        if (registration.Use.Statement is { } statement && !await tokens.TryUseAsync(statement, cancellationToken))
        {
            await tokens.GiveBackAsync(registration.Use.Jti, cancellationToken);
            return new RegisterClientOutcome.StatementUsedUp();
        }
        var reservation = MongoDbRegistrationCounts.NewReservation();
        if (await counts.ReserveAsync(registration.Limits, client.ClientId, reservation, countsForHour: true, cancellationToken) is { } full)
        {
            await tokens.GiveBackAsync(registration.Use.Jti, cancellationToken);
            if (registration.Use.Statement is { } unused)
            {
                await tokens.GiveBackAsync(unused.Key, cancellationToken);
            }
            return full;
        }
        // The outbox settles the count when it moves the record.
        return await change.TryInsertAsync(client, registration.Record, reservation, cancellationToken)
            ? new RegisterClientOutcome.Registered()
            : throw new StoreUnavailableException("The registration took so long that its client id was fenced off; nothing was registered.");
    }
}
