using Dcr.Registration;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>Of all registrations with one idempotency key, one makes a client and every other gets its answer.</summary>
public abstract class RegistrationAnswersContract(StoreUnderTest store) : RegisteredClientsContract(store)
{
    private static readonly RegisterClientOutcome s_registered = new RegisterClientOutcome.Registered();

    private static string NewKey() => Guid.NewGuid().ToString("N");

    [Fact]
    public async Task Of_50_requests_with_one_key_one_makes_a_client_and_all_get_its_answer()
    {
        var key = NewKey();
        var limits = Limits();
        var use = Use();
        var racing = Enumerable.Range(0, 50).Select(_ => Answered(key, limits, use)).ToArray();

        var outcomes = await RaceAsync(50, (node, i) => RegisterAsync(node, racing[i]));

        Assert.Single(outcomes, s_registered);
        var answer = await Registrations(Other).FindAnswerAsync(key, Cancellation);
        Assert.Equal(49, outcomes.Count(outcome => outcome == new RegisterClientOutcome.AnsweredBefore(answer!)));
        Assert.NotNull(await Other.Clients.FindAsync(answer!.ClientId, Cancellation));
        Assert.Equal(1, await TrulyLiveAsync(limits));
        Assert.Equal(1, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task An_answer_stands_whatever_becomes_of_its_client()
    {
        var registration = Answered(NewKey(), Limits());
        await Registrations(One).RegisterAsync(registration, Cancellation);
        await DeletedAsync(registration.Client);
        Assert.Equal(registration.Answer, await Registrations(Other).FindAnswerAsync(registration.Answer!.Key, Cancellation));
        Assert.IsType<RegisterClientOutcome.AnsweredBefore>(
            await Registrations(Other).RegisterAsync(Answered(registration.Answer.Key, registration.Limits), Cancellation));
    }

    [Fact]
    public async Task An_answer_that_has_expired_is_not_there_and_makes_room_for_one_other()
    {
        var key = NewKey();
        var limits = Limits();
        var first = Answered(key, limits);
        await Registrations(One).RegisterAsync(first, Cancellation);
        Store.Time.Advance(TimeSpan.FromHours(24));
        Assert.Equal(first.Answer, await Registrations(Other).FindAnswerAsync(key, Cancellation));
        Store.Time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(await Registrations(Other).FindAnswerAsync(key, Cancellation));

        var racing = Enumerable.Range(0, 20).Select(_ => Answered(key, limits)).ToArray();
        var outcomes = await RaceAsync(20, (node, i) => RegisterAsync(node, racing[i]));

        Assert.Single(outcomes, s_registered);
        Assert.Contains(await Registrations(Other).FindAnswerAsync(key, Cancellation), racing.Select(registration => registration.Answer));
        Assert.Equal(2, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task A_refused_registration_leaves_no_answer()
    {
        var key = NewKey();
        var limits = Limits(live: 0);
        var use = Use();
        var refusals = await RaceAsync(10, (node, _) => RegisterAsync(node, Answered(key, limits)));
        Assert.All(refusals, outcome => Assert.Equal(new RegisterClientOutcome.TooManyLiveClients(), outcome));
        Assert.Equal(
            new RegisterClientOutcome.TokenUsedUp(), await Registrations(One).RegisterAsync(Answered(key, limits, Use(0)), Cancellation));
        Assert.IsType<RegisterClientOutcome.TooManyThisHour>(
            await Registrations(One).RegisterAsync(
                Answered(key, limits with { MaxLiveClients = null, MaxRegistrationsPerHour = 0 }, use), Cancellation));
        Assert.Null(await Registrations(Other).FindAnswerAsync(key, Cancellation));
        Assert.Equal(
            s_registered, await Registrations(Other).RegisterAsync(Answered(key, limits with { MaxLiveClients = 1 }, use), Cancellation));
    }

    [Fact]
    public async Task Different_keys_do_not_know_of_each_other()
    {
        var limits = Limits();
        var racing = Enumerable.Range(0, 20).Select(_ => Answered(NewKey(), limits)).ToArray();
        var outcomes = await RaceAsync(20, (node, i) => RegisterAsync(node, racing[i]));
        Assert.All(outcomes, outcome => Assert.Equal(s_registered, outcome));
        foreach (var registration in racing)
        {
            Assert.Equal(registration.Answer, await Registrations(Other).FindAnswerAsync(registration.Answer!.Key, Cancellation));
        }
    }

    [Fact]
    public async Task A_repeated_request_is_answered_although_its_token_is_used_up_and_the_cap_reached()
    {
        var limits = Limits(live: 1);
        var use = Use();
        var registration = Answered(NewKey(), limits, use);
        await Registrations(One).RegisterAsync(registration, Cancellation);
        var repeated = Answered(registration.Answer!.Key, limits, use);
        Assert.Equal(
            new RegisterClientOutcome.AnsweredBefore(registration.Answer),
            await Registrations(Other).RegisterAsync(repeated, Cancellation));
        Assert.Null(await StoredAsync(repeated.Client));
    }
}
