using Dcr.Clients;
using Dcr.Protocol;
using Dcr.Registration;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>
/// The cap of live clients, the hour and the uses of a software statement are as strict under races as one by one. A registration that is
/// refused costs nothing; a client that ends gives its room back, once.
/// </summary>
public abstract class RegistrationLimitsContract(StoreUnderTest store) : RegisteredClientsContract(store)
{
    private static readonly RegisterClientOutcome s_registered = new RegisterClientOutcome.Registered();
    private static readonly RegisterClientOutcome s_full = new RegisterClientOutcome.TooManyLiveClients();

    [Fact]
    public async Task Registers_as_many_of_200_clients_that_race_as_the_cap_has_room()
    {
        var limits = Limits(live: 20);
        var outcomes = await RaceAsync(200, (node, _) => RegisterAsync(node, limits));
        Assert.Equal(20, outcomes.Count(outcome => outcome == s_registered));
        Assert.Equal(180, outcomes.Count(outcome => outcome == s_full));
        Assert.Equal(20, await CountLiveAsync(limits));
        Assert.Equal(20, await TrulyLiveAsync(limits));
    }

    [Fact]
    [Requirement("P-POLICY")]
    public async Task Registers_as_many_of_60_clients_that_race_as_their_software_statement_has_uses()
    {
        var limits = Limits(live: 1000);
        var statement = new StatementUse(Guid.NewGuid().ToString("N"), MaxUses: 3, Now.AddDays(1));
        var uses = Enumerable.Range(0, 60).Select(_ => Use() with { Statement = statement }).ToList();

        var outcomes = await RaceAsync(60, (node, i) => RegisterAsync(node, limits, uses[i]));

        Assert.Equal(3, outcomes.Count(outcome => outcome == s_registered));
        Assert.Equal(57, outcomes.Count(outcome => outcome is RegisterClientOutcome.StatementUsedUp));
        Assert.Equal(3, await CountLiveAsync(limits));
        Assert.Equal(
            new RegisterClientOutcome.StatementUsedUp(),
            await Registrations(Other).TryOutAsync(Use() with { Statement = statement }, limits, Cancellation));

        // A token whose registration came to nothing is as good as before, for another statement.
        var left = uses[outcomes.Index().First(outcome => outcome.Item != s_registered).Index];
        Assert.Equal(
            s_registered,
            await RegisterAsync(Other, limits, left with { Statement = statement with { Key = Guid.NewGuid().ToString("N") } }));
    }

    [Fact]
    public async Task Gives_back_the_use_of_a_statement_when_the_cap_has_no_room()
    {
        var limits = Limits(live: 1);
        var statement = new StatementUse(Guid.NewGuid().ToString("N"), MaxUses: 2, Now.AddDays(1));
        Assert.Equal(s_registered, await RegisterAsync(One, limits, Use() with { Statement = statement }));
        Assert.Equal(s_full, await RegisterAsync(One, limits, Use() with { Statement = statement }));
        Assert.Equal(s_registered, await RegisterAsync(One, limits with { MaxLiveClients = 2 }, Use() with { Statement = statement }));
    }

    [Fact]
    public async Task Never_has_more_live_clients_than_the_cap_while_some_end_and_some_are_revived()
    {
        const int Cap = 12;
        var limits = Limits(live: Cap);
        var clients = new List<Client>();
        for (var i = 0; i < 12; i++)
        {
            clients.Add(await RegisteredAsync(limits));
        }
        for (var i = 0; i < 4; i++)
        {
            clients[i] = await BecomesAsync(clients[i], ClientStatus.Expired);
        }
        Assert.Equal(8, await CountLiveAsync(limits));

        // Of every five racers, two register, one revives, one deletes and one revokes; the last three of few clients, again and again.
        var changes = await RaceAsync(200, async (node, i) => (i % 5) switch
        {
            0 => await ReviveAsync(node, clients[i / 5 % 4], limits) == ReviveOutcome.Done ? 1 : 0,
            1 => await EndsAsync(node.Clients.DeleteAsync(
                clients[4 + (i / 5 % 3)].ClientId, 1, Record(clients[4]), Grounds.Server, Cancellation)),
            2 => await EndsAsync(node.Clients.ReplaceAsync(
                Next(clients[7 + (i / 5 % 3)], ClientStatus.Revoked), Record(clients[7]), Grounds.Server, Cancellation)),
            _ => await RegisterAsync(node, limits) == s_registered ? await SeenAsync(limits, Cap) : 0,
        });

        Assert.Equal(6, changes.Count(change => change == -1));
        var live = await CountLiveAsync(limits);
        Assert.Equal(8 + changes.Sum(), live);
        Assert.Equal(live, await TrulyLiveAsync(limits));
        // Nothing was lost: what room is left can be taken, and no more.
        var filling = await RaceAsync(20, (node, _) => RegisterAsync(node, limits));
        Assert.Equal(Cap - live, filling.Count(outcome => outcome == s_registered));
        Assert.Equal(Cap, await TrulyLiveAsync(limits));
    }

    private static async Task<int> EndsAsync(Task<ReplaceOutcome> ending) => await ending == ReplaceOutcome.Done ? -1 : 0;

    private async Task<int> SeenAsync(RegistrationLimits limits, long cap)
    {
        Assert.InRange(await CountLiveAsync(limits), 1, cap);
        return 1;
    }

    [Fact]
    public async Task Registers_as_many_of_200_clients_that_race_as_the_hour_allows()
    {
        var limits = Limits(perHour: 15);
        var outcomes = await RaceAsync(200, (node, _) => RegisterAsync(node, limits));
        Assert.Equal(15, outcomes.Count(outcome => outcome == s_registered));
        Assert.Equal(185, outcomes.Count(outcome => outcome is RegisterClientOutcome.TooManyThisHour));
        Assert.Equal(15, await TrulyLiveAsync(limits));
    }

    [Fact]
    public async Task The_hour_begins_with_the_first_registration_and_ends_an_hour_later()
    {
        var limits = Limits(perHour: 2);
        var began = Now;
        var first = await RegisteredAsync(limits);
        Store.Time.Advance(TimeSpan.FromMinutes(40));
        await RegisteredAsync(limits);
        // An end gives no registration back.
        await DeletedAsync(first);
        Store.Time.Advance(TimeSpan.FromMinutes(20) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(new RegisterClientOutcome.TooManyThisHour(began.AddHours(1)), await RegisterAsync(Other, limits));

        Store.Time.Advance(TimeSpan.FromMilliseconds(1));
        var outcomes = await RaceAsync(10, (node, _) => RegisterAsync(node, limits));
        Assert.Equal(2, outcomes.Count(outcome => outcome == s_registered));
        Assert.All(
            outcomes.Where(outcome => outcome != s_registered),
            outcome => Assert.Equal(new RegisterClientOutcome.TooManyThisHour(began.AddHours(2)), outcome));
    }

    [Fact]
    public async Task The_hour_begins_with_a_registration_and_not_with_an_end_or_a_revival()
    {
        var limits = Limits(perHour: 2);
        var expired = await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Expired);
        Store.Time.Advance(TimeSpan.FromHours(2));
        Assert.Equal(ReviveOutcome.Done, await ReviveAsync(Other, expired, limits));
        Store.Time.Advance(TimeSpan.FromMinutes(30));
        var began = Now;
        await RegisteredAsync(limits);
        await RegisteredAsync(limits);
        Assert.Equal(new RegisterClientOutcome.TooManyThisHour(began.AddHours(1)), await RegisterAsync(Other, limits));
    }

    [Theory]
    [InlineData(ClientStatus.Revoked)]
    [InlineData(ClientStatus.Expired)]
    [InlineData(null)]
    public async Task Gives_the_room_of_a_client_that_ends_back(ClientStatus? ending)
    {
        var limits = Limits(live: 2);
        var client = await RegisteredAsync(limits);
        await RegisteredAsync(limits);
        Assert.Equal(s_full, await RegisterAsync(Other, limits));

        await (ending is { } status ? BecomesAsync(client, status) : DeletedAsync(client));

        Assert.Equal(1, await CountLiveAsync(limits));
        Assert.Equal(s_registered, await RegisterAsync(One, limits));
        Assert.Equal(s_full, await RegisterAsync(Other, limits));
        Assert.Equal(2, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task A_suspended_client_keeps_its_room()
    {
        var limits = Limits(live: 1);
        var client = await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Suspended);
        Assert.Equal(1, await CountLiveAsync(limits));
        Assert.Equal(s_full, await RegisterAsync(Other, limits));
        client = await BecomesAsync(client, ClientStatus.Active);
        Assert.Equal(1, await CountLiveAsync(limits));
        client = await BecomesAsync(client, ClientStatus.Suspended);
        await BecomesAsync(client, ClientStatus.Revoked);
        Assert.Equal(0, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task Gives_room_back_once_however_often_a_client_ends()
    {
        var limits = Limits();
        await RegisteredAsync(limits);
        var client = await RegisteredAsync(limits);
        client = await BecomesAsync(client, ClientStatus.Expired);
        Assert.Equal(1, await CountLiveAsync(limits));
        client = await BecomesAsync(client, ClientStatus.Revoked);
        Assert.Equal(1, await CountLiveAsync(limits));
        await DeletedAsync(client);
        Assert.Equal(1, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task Gives_room_back_once_of_50_that_race_to_end_a_client()
    {
        var limits = Limits();
        await RegisteredAsync(limits);
        var client = await RegisteredAsync(limits);
        var outcomes = await RaceAsync(50, (node, i) => (i % 3) switch
        {
            0 => node.Clients.DeleteAsync(client.ClientId, 1, Record(client), Grounds.Server, Cancellation),
            1 => node.Clients.ReplaceAsync(Next(client, ClientStatus.Revoked), Record(client), Grounds.Server, Cancellation),
            _ => Lifecycles(node).ExpireAsync(Next(client, ClientStatus.Expired), Record(client), Cancellation),
        });
        Assert.Single(outcomes, ReplaceOutcome.Done);
        Assert.Equal(1, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task Makes_no_client_that_has_ended_live_by_a_replacement()
    {
        var limits = Limits();
        foreach (var status in new[] { ClientStatus.Expired, ClientStatus.Revoked })
        {
            var ended = await BecomesAsync(await RegisteredAsync(limits), status);
            Assert.Equal(
                ReplaceOutcome.VersionConflict,
                await One.Clients.ReplaceAsync(Next(ended, ClientStatus.Active), Record(ended), Grounds.Server, Cancellation));
        }
        Assert.Equal(0, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task A_refused_registration_costs_no_use_and_leaves_nothing()
    {
        foreach (var refusing in new[] { Limits(live: 0), Limits(perHour: 0) })
        {
            var use = Use();
            var registration = Registration(refusing, use);
            Assert.NotEqual(s_registered, await Registrations(One).RegisterAsync(registration, Cancellation));
            Assert.Null(await StoredAsync(registration.Client));
            Assert.Equal(0, await RecordsOfAsync(registration.Client.ClientId));
            Assert.Equal(0, await CountLiveAsync(refusing));
            var roomy = refusing with { MaxLiveClients = 1, MaxRegistrationsPerHour = 1 };
            Assert.Equal(s_registered, await RegisterAsync(Other, roomy, use));
        }
    }

    [Fact]
    public async Task Tries_out_what_a_registration_would_come_to_and_changes_nothing()
    {
        var limits = Limits(live: 1, perHour: 3);
        var use = Use();
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(s_registered, await Registrations(Other).TryOutAsync(use, limits, Cancellation));
        }
        var registration = Registration(limits, use);
        var began = Now;
        Assert.Equal(s_registered, await Registrations(One).RegisterAsync(registration, Cancellation));
        Assert.Equal(new RegisterClientOutcome.TokenUsedUp(), await Registrations(Other).TryOutAsync(use, limits, Cancellation));
        Assert.Equal(s_full, await Registrations(Other).TryOutAsync(Use(), limits, Cancellation));
        var hourly = limits with { MaxLiveClients = null, MaxRegistrationsPerHour = 1 };
        Assert.Equal(
            new RegisterClientOutcome.TooManyThisHour(began.AddHours(1)),
            await Registrations(Other).TryOutAsync(Use(), hourly, Cancellation));
        Store.Time.Advance(RegistrationLimits.Window);
        Assert.Equal(s_registered, await Registrations(Other).TryOutAsync(Use(), hourly, Cancellation));
        Assert.Equal(1, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task Counts_each_onboarding_client_apart_and_none_as_nothing()
    {
        var (one, other) = (Limits(live: 1), Limits(live: 1));
        await RegisteredAsync(one);
        Assert.Equal(s_registered, await RegisterAsync(Other, other));
        Assert.Equal((1, 1), (await CountLiveAsync(one), await CountLiveAsync(other)));
        Assert.Equal(0, await CountLiveAsync(Limits()));
    }
}
