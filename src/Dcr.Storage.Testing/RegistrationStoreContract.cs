using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>An initial access token makes as many clients as it has uses, however many race for it.</summary>
public abstract class RegistrationStoreContract(StoreUnderTest store) : StoreContract(store)
{
    private static readonly RegisterClientOutcome s_registered = new RegisterClientOutcome.Registered();

    private static IRegistrationStore Registrations(Node node) => node.Get<IRegistrationStore>();

    private InitialAccessTokenUse Use(int uses = 1) => new(Guid.NewGuid().ToString(), uses, Now.AddMinutes(5));

    /// <summary>By an onboarding client of its own, so that no test counts another's clients.</summary>
    private NewRegistration Registration(InitialAccessTokenUse? use = null, RegistrationLimits? limits = null)
    {
        limits ??= new RegistrationLimits($"onboarding-{Guid.NewGuid():N}", MaxLiveClients: null, MaxRegistrationsPerHour: null);
        var sample = Samples.Client(Now);
        var client = sample with { Origin = sample.Origin! with { OnboardingClient = limits.OnboardingClient } };
        return new NewRegistration
        {
            Client = client,
            Use = use ?? Use(),
            Limits = limits,
            Grounds = Grounds.Server,
            Record = Record(client),
        };
    }

    [Theory]
    [Requirement("R7591-3.1-02")]
    [InlineData(1)]
    [InlineData(7)]
    public async Task Registers_as_many_of_200_clients_that_race_as_the_token_has_uses(int uses)
    {
        var use = Use(uses);
        var racing = Enumerable.Range(0, 200).Select(_ => Registration(use)).ToArray();
        var outcomes = await RaceAsync(200, (node, i) => Registrations(node).RegisterAsync(racing[i], Cancellation));
        Assert.Equal(uses, outcomes.Count(outcome => outcome == s_registered));
        for (var i = 0; i < racing.Length; i++)
        {
            var registered = outcomes[i] == s_registered;
            Assert.Equal(registered, await Other.Clients.FindAsync(racing[i].Client.ClientId, Cancellation) is not null);
            Assert.Equal(registered ? 1 : 0, await RecordsOfAsync(racing[i].Client.ClientId));
        }
    }

    [Fact]
    [Requirement("R7591-3.1-02")]
    public async Task Keeps_counting_a_use_when_its_client_is_deleted_and_when_time_passes()
    {
        var use = Use();
        var registration = Registration(use);
        Assert.Equal(s_registered, await Registrations(One).RegisterAsync(registration, Cancellation));
        Assert.Equal(
            ReplaceOutcome.Done,
            await One.Clients.DeleteAsync(registration.Client.ClientId, 1, Record(registration.Client), Grounds.Server, Cancellation));
        Store.Time.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal(new RegisterClientOutcome.TokenUsedUp(), await Registrations(Other).RegisterAsync(Registration(use), Cancellation));
    }

    [Fact]
    public async Task Registers_nothing_with_a_token_of_no_uses() =>
        Assert.Equal(new RegisterClientOutcome.TokenUsedUp(), await Registrations(One).RegisterAsync(Registration(Use(0)), Cancellation));
}
