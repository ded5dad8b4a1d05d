using Dcr.Protocol;
using Dcr.Registration;
using Dcr.Server.Storage.MongoDb;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>A crash between the claim on an idempotency key and its client.</summary>
public sealed class MongoDbRegistrationAnswersTests(MongoDbUnderTestStore store) : RegisteredClientsContract(store), IClassFixture<MongoDbUnderTestStore>
{
    private NewRegistration Answered(RegistrationLimits limits, string key)
    {
        var registration = Registration(limits);
        return registration with { Answer = new RegistrationAnswer(key, "body", registration.Client.ClientId, null, Now.AddHours(24)) };
    }

    /// <summary>Claimed by a node that died before it made the client.</summary>
    private async Task<NewRegistration> ClaimedAsync(RegistrationLimits limits)
    {
        var claimed = Answered(limits, Guid.NewGuid().ToString("N"));
        Assert.Null(await One.Get<MongoDbRegistrationAnswers>().ClaimAsync(claimed.Answer!, claimed.Client.ClientId, Cancellation));
        return claimed;
    }

    [Fact]
    public async Task A_claim_is_no_answer_and_is_waited_for_and_not_taken_over_at_once()
    {
        var claimed = await ClaimedAsync(Limits());
        Assert.Null(await Registrations(Other).FindAnswerAsync(claimed.Answer!.Key, Cancellation));
        var repeated = Answered(claimed.Limits, claimed.Answer.Key);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Registrations(Other).RegisterAsync(repeated, Cancellation));
        Assert.Equal(0, await CountLiveAsync(claimed.Limits));
    }

    [Fact]
    public async Task An_abandoned_claim_is_taken_over_by_one_after_two_minutes_and_its_client_cannot_come_late()
    {
        var limits = Limits();
        var claimed = await ClaimedAsync(limits);
        Store.Time.Advance(TimeSpan.FromMinutes(2) + TimeSpan.FromMilliseconds(1));
        var racing = Enumerable.Range(0, 10).Select(_ => Answered(limits, claimed.Answer!.Key)).ToArray();
        var outcomes = await RaceAsync(10, (node, i) => Registrations(node).RegisterAsync(racing[i], Cancellation));

        var registered = new RegisterClientOutcome.Registered();
        Assert.Single(outcomes, registered);
        var winner = racing[Array.IndexOf(outcomes, registered)];
        Assert.Equal(9, outcomes.Count(outcome => outcome == new RegisterClientOutcome.AnsweredBefore(winner.Answer!)));

        Assert.False(await One.Get<MongoDbClientChange>().TryInsertAsync(claimed.Client, claimed.Record, MongoDbRegistrationCounts.NewReservation(), Cancellation));
        await One.Get<MongoDbRegistrationAnswers>().AbandonAsync(claimed.Answer!.Key, claimed.Client.ClientId, Cancellation);
        Assert.Equal(winner.Answer, await Registrations(Other).FindAnswerAsync(claimed.Answer.Key, Cancellation));
    }

    [Fact]
    public async Task A_claim_whose_client_came_is_an_answer_although_nobody_noted_it()
    {
        var claimed = await ClaimedAsync(Limits());
        Assert.True(await One.Get<MongoDbClientChange>().TryInsertAsync(claimed.Client, claimed.Record, MongoDbRegistrationCounts.NewReservation(), Cancellation));
        Assert.Equal(claimed.Answer, await Registrations(Other).FindAnswerAsync(claimed.Answer!.Key, Cancellation));
        Store.Time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(new RegisterClientOutcome.AnsweredBefore(claimed.Answer), await Registrations(Other).RegisterAsync(Answered(claimed.Limits, claimed.Answer.Key), Cancellation));
    }
}
