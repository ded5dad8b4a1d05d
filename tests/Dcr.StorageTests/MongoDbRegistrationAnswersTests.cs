using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using Dcr.Storage.MongoDb;
using MongoDB.Bson;
using MongoDB.Driver;
using Xunit;

namespace Dcr.StorageTests;

/// <summary>A crash between the claim on an idempotency key and its client.</summary>
public sealed class MongoDbRegistrationAnswersTests(MongoDbUnderTestStore store) : RegisteredClientsContract(store), IClassFixture<MongoDbUnderTestStore>
{
    /// <summary>Claimed by a node that died before it made the client.</summary>
    private async Task<NewRegistration> ClaimedAsync(RegistrationLimits limits, InitialAccessTokenUse? use = null)
    {
        var claimed = Answered(Guid.NewGuid().ToString("N"), limits, use, provedBy: null);
        Assert.Equal(new ClaimOutcome.Claimed(IsNew: true), await One.Get<MongoDbRegistrationAnswers>().ClaimAsync(claimed.Answer!, claimed.Client.ClientId, Cancellation));
        return claimed;
    }

    [Fact]
    public async Task A_claim_is_no_answer_and_its_repeat_goes_on_with_the_same_client()
    {
        var use = Use();
        var claimed = await ClaimedAsync(Limits(), use);
        Assert.Null(await Registrations(Other).FindAnswerAsync(claimed.Answer!.Key, Cancellation));
        var repeated = Answered(claimed.Answer.Key, claimed.Limits, use, provedBy: null);
        Assert.Equal(new RegisterClientOutcome.UnderWay(claimed.Answer), await Registrations(Other).RegisterAsync(repeated, Cancellation));
        Assert.Equal(new RegisterClientOutcome.Registered(), await RegisterAsync(Other, repeated));
        Assert.NotNull(await Other.Clients.FindAsync(claimed.Client.ClientId, Cancellation));
        Assert.Equal(1, await CountLiveAsync(claimed.Limits));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_repeat_takes_neither_a_second_use_nor_a_second_place_of_a_registration_that_was_cut(bool afterReservation)
    {
        var use = Use();
        var claimed = await ClaimedAsync(Limits(live: 1), use);
        Assert.True(await One.Get<MongoDbInitialAccessTokens>().TryUseAsync(use, claimed.Client.ClientId));
        if (afterReservation)
        {
            Assert.Null(await One.Get<MongoDbRegistrationCounts>().ReserveAsync(
                claimed.Limits, claimed.Client.ClientId, MongoDbRegistrationCounts.NewReservation(), countsForHour: true, Cancellation));
        }
        Assert.Equal(new RegisterClientOutcome.Registered(), await RegisterAsync(Other, Answered(claimed.Answer!.Key, claimed.Limits, use, provedBy: null)));
        Assert.Equal(1, await CountLiveAsync(claimed.Limits));
        Assert.Equal(new RegisterClientOutcome.TokenUsedUp(), await RegisterAsync(One, claimed.Limits with { MaxLiveClients = null }, use));
    }

    [Fact]
    [Requirement("P-CLOCK")]
    public async Task An_abandoned_claim_of_another_token_is_taken_over_after_two_minutes_and_its_client_cannot_come_late()
    {
        var limits = Limits();
        var claimed = await ClaimedAsync(limits);
        var use = Use();
        async Task AssertStandsAsync()
        {
            foreach (var node in new[] { One, Other })
            {
                Assert.Equal(new RegisterClientOutcome.UnderWay(claimed.Answer!), await Registrations(node).RegisterAsync(Answered(claimed.Answer!.Key, limits, use, provedBy: null), Cancellation));
            }
        }
        // Two minutes as each node has seen them pass: a clock that is set ahead takes nothing over, and one that is set back keeps nobody waiting.
        await AssertStandsAsync();
        Store.Time.StepWall(TimeSpan.FromMinutes(20));
        await AssertStandsAsync();
        Store.Time.StepWall(TimeSpan.FromDays(-1));
        Store.Time.Advance(TimeSpan.FromMinutes(2));
        Store.Time.StepWall(TimeSpan.FromDays(1) - TimeSpan.FromMinutes(20));
        var racing = Enumerable.Range(0, 10).Select(_ => Answered(claimed.Answer!.Key, limits, use, provedBy: null)).ToArray();
        var outcomes = await RaceAsync(10, (node, i) => RegisterAsync(node, racing[i]));

        Assert.Single(outcomes, new RegisterClientOutcome.Registered());
        var answer = await Registrations(Other).FindAnswerAsync(claimed.Answer!.Key, Cancellation);
        Assert.Equal(9, outcomes.Count(outcome => outcome == new RegisterClientOutcome.AnsweredBefore(answer!)));

        Assert.Equal(EffectOutcome.Conflict, await One.Get<MongoDbClientChange>().InsertAsync(
            claimed.Client, claimed.Record, MongoDbRegistrationCounts.NewReservation(), Grounds.Server, Cancellation));
        await One.Get<MongoDbRegistrationAnswers>().AbandonAsync(claimed.Answer!.Key, claimed.Client.ClientId);
        Assert.Equal(answer, await Registrations(Other).FindAnswerAsync(claimed.Answer.Key, Cancellation));
    }

    [Theory]
    [Requirement("P-CLOCK", "P-ONCE")]
    [InlineData(-100)]
    [InlineData(100)]
    public async Task The_fence_before_a_claim_that_was_taken_over_stands_for_a_day_of_the_database_whatever_the_nodes_clock_says(int days)
    {
        Store.Time.StepWall(TimeSpan.FromDays(days));
        var clientId = Guid.NewGuid().ToString("N");
        Assert.True(await One.Get<MongoDbAbandonedRegistrations>().TryFenceAsync(clientId, Cancellation));
        Store.Time.StepWall(TimeSpan.FromDays(-days));
        var storage = One.Get<MongoDbStorage>();
        var fence = await storage.Clients.Find(Builders<BsonDocument>.Filter.Eq("_id", clientId)).SingleAsync(Cancellation);
        var left = fence[MongoDbClientDocument.FenceUntil].ToUniversalTime() - (await storage.ReadTimeAsync(Cancellation))!.Value.UtcDateTime;
        Assert.InRange(left, TimeSpan.FromHours(23), TimeSpan.FromHours(25));
    }

    [Fact]
    public async Task A_claim_whose_client_came_is_an_answer_although_nobody_noted_it()
    {
        var claimed = await ClaimedAsync(Limits());
        Assert.Equal(EffectOutcome.Done, await One.Get<MongoDbClientChange>().InsertAsync(
            claimed.Client, claimed.Record, MongoDbRegistrationCounts.NewReservation(), Grounds.Server, Cancellation));
        Assert.Equal(claimed.Answer, await Registrations(Other).FindAnswerAsync(claimed.Answer!.Key, Cancellation));
        Store.Time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(new RegisterClientOutcome.AnsweredBefore(claimed.Answer), await Registrations(Other).RegisterAsync(Answered(claimed.Answer.Key, claimed.Limits), Cancellation));
    }
}
