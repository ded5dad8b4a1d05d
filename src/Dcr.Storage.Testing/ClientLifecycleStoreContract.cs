using Dcr.Clients;
using Dcr.Protocol;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>
/// Of a use and an expiry at once, one fails. Of many that revive one client, one does; of many clients, as many as the cap has room.
/// Clients that are due are listed once each, the longest due first.
/// </summary>
public abstract class ClientLifecycleStoreContract(StoreUnderTest store) : RegisteredClientsContract(store)
{
    private static int s_years;

    /// <summary>Times that no other test uses.</summary>
    private DateTimeOffset TimesOfItsOwn() => Now.AddYears(Interlocked.Increment(ref s_years));

    private Task<Client> ReviewedAsync(DateTimeOffset? reviewAt, ClientStatus status = ClientStatus.Active) =>
        RegisteredAsync(Limits(), client => client with { Status = status, Lifecycle = new ClientLifecycle { ReviewAt = reviewAt } });

    private async Task<List<string>> DueAsync(DateTimeOffset from, DateTimeOffset to, int limit = 100)
    {
        var due = new List<string>();
        var after = new ReviewCursor(from, "");
        while (await Lifecycles(Other).ListDueAsync(to, after, limit, Cancellation) is { Count: > 0 } page)
        {
            due.AddRange(page.Select(client => client.ClientId));
            after = new ReviewCursor(page[^1].Lifecycle.ReviewAt!.Value, page[^1].ClientId);
        }
        return due;
    }

    [Fact]
    public async Task Gives_back_a_lifecycle_as_it_was_registered()
    {
        var lifecycle = ClientLifecycle.From(Now, TimeSpan.FromDays(30), TimeSpan.FromDays(3));
        var client = await RegisteredAsync(
            Limits(),
            client => client with { Lifecycle = lifecycle, SigningAlgs = ["ES256", "PS256"], KeyChangeAllowedUntil = Now.AddDays(1) });
        var stored = await StoredAsync(client);
        Assert.Equal(Text(client), Text(stored));
        Assert.Equal(lifecycle, stored!.Lifecycle);
    }

    [Fact]
    public async Task Lists_clients_that_are_due_the_longest_due_first_each_once()
    {
        var start = TimesOfItsOwn();
        var made = new List<Client>();
        for (var i = 0; i < 15; i++)
        {
            made.Add(await ReviewedAsync(start.AddMilliseconds(i / 5), i % 3 == 0 ? ClientStatus.Expired : ClientStatus.Active));
        }
        var expected = made.OrderBy(client => client.Lifecycle.ReviewAt)
            .ThenBy(client => client.ClientId, StringComparer.Ordinal)
            .Select(client => client.ClientId);
        Assert.Equal(expected, await DueAsync(start, start.AddHours(1), limit: 4));
    }

    [Fact]
    public async Task Lists_no_client_that_is_not_due_or_neither_active_nor_expired()
    {
        var start = TimesOfItsOwn();
        var due = await ReviewedAsync(start);
        await ReviewedAsync(start.AddMilliseconds(1));
        await ReviewedAsync(reviewAt: null);
        await ReviewedAsync(start, ClientStatus.Suspended);
        await ReviewedAsync(start, ClientStatus.Revoked);
        await DeletedAsync(await ReviewedAsync(start));
        Assert.Equal([due.ClientId], await DueAsync(start, start));
        Assert.Equal([], await DueAsync(start.AddDays(-1), start.AddMilliseconds(-1)));
    }

    [Fact]
    public async Task Reviews_again_only_a_client_that_is_still_due_then()
    {
        var start = TimesOfItsOwn();
        var client = await ReviewedAsync(start);
        await Lifecycles(One).ReviewAgainAsync(client.ClientId, start.AddMilliseconds(-1), start.AddHours(5), Cancellation);
        Assert.Equal(start, (await StoredAsync(client))!.Lifecycle.ReviewAt);
        await Lifecycles(One).ReviewAgainAsync(client.ClientId, start, start.AddHours(1), Cancellation);
        Assert.Equal(start.AddHours(1), (await StoredAsync(client))!.Lifecycle.ReviewAt);
        Assert.Equal(1, (await StoredAsync(client))!.Version);
        await Lifecycles(One).ReviewAgainAsync(client.ClientId, start.AddHours(1), null, Cancellation);
        Assert.Null((await StoredAsync(client))!.Lifecycle.ReviewAt);
        Assert.Equal([], await DueAsync(start, start.AddHours(6)));
        await Lifecycles(One).ReviewAgainAsync("nobody", start, start, Cancellation);
        Assert.Null(await Other.Clients.FindAsync("nobody", Cancellation));
    }

    [Fact]
    public async Task Expires_no_client_that_was_used_since_it_was_read()
    {
        var client = await RegisteredAsync(Limits());
        await One.Clients.RecordAuthenticationAsync(client.ClientId, byException: false, Now, Cancellation);
        Assert.Equal(
            ReplaceOutcome.VersionConflict,
            await Lifecycles(Other).ExpireAsync(Next(client, ClientStatus.Expired), Record(client), Cancellation));
        Assert.Equal(ClientStatus.Active, (await StoredAsync(client))!.Status);
        Assert.Equal(1, await RecordsOfAsync(client.ClientId));

        var read = (await StoredAsync(client))!;
        Assert.Equal(
            ReplaceOutcome.Done, await Lifecycles(Other).ExpireAsync(Next(read, ClientStatus.Expired), Record(client), Cancellation));
        var expired = (await StoredAsync(client))!;
        Assert.Equal((ClientStatus.Expired, Now, Now), (expired.Status, expired.LastUsedAt, expired.Lifecycle.ExpiredAt));
        Assert.Equal(2, await RecordsOfAsync(client.ClientId));
        Assert.False(await One.Clients.RecordAuthenticationAsync(client.ClientId, byException: false, Now, Cancellation));
    }

    [Fact]
    public async Task Of_a_use_and_an_expiry_at_once_one_fails()
    {
        var limits = Limits();
        for (var i = 0; i < 15; i++)
        {
            var client = await RegisteredAsync(limits);
            var used = Task.Run(
                () => One.Clients.RecordAuthenticationAsync(client.ClientId, byException: false, Now, Cancellation), Cancellation);
            var expired = Task.Run(
                () => Lifecycles(Other).ExpireAsync(Next(client, ClientStatus.Expired), Record(client), Cancellation), Cancellation);
            var (wasUsed, outcome) = (await used, await expired);
            var stored = (await StoredAsync(client))!;
            Assert.Equal(wasUsed ? ReplaceOutcome.VersionConflict : ReplaceOutcome.Done, outcome);
            Assert.Equal(wasUsed ? (ClientStatus.Active, Now) : (ClientStatus.Expired, null), (stored.Status, stored.LastUsedAt));
        }
        Assert.Equal(await TrulyLiveAsync(limits), await CountLiveAsync(limits));
    }

    [Fact]
    public async Task Revives_a_client_where_the_cap_leaves_room()
    {
        var limits = Limits(live: 2);
        await RegisteredAsync(limits);
        var expired = await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Expired);
        Assert.Equal(1, await CountLiveAsync(limits));
        Assert.Equal(ReviveOutcome.Done, await ReviveAsync(One, expired, limits));
        Assert.Equal(Text(Next(expired, ClientStatus.Active)), Text(await StoredAsync(expired)));
        Assert.Equal(2, await CountLiveAsync(limits));
        Assert.Equal(3, await RecordsOfAsync(expired.ClientId));
        Assert.IsType<Registration.RegisterClientOutcome.TooManyLiveClients>(await RegisterAsync(Other, limits));

        await BecomesAsync(Next(expired, ClientStatus.Active), ClientStatus.Expired);
        Assert.Equal(1, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task Revives_no_client_where_the_cap_is_reached()
    {
        var limits = Limits(live: 1);
        var expired = await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Expired);
        await RegisteredAsync(limits);
        Assert.Equal(ReviveOutcome.TooManyLiveClients, await ReviveAsync(One, expired, limits));
        Assert.Equal(Text(expired), Text(await StoredAsync(expired)));
        Assert.Equal(2, await RecordsOfAsync(expired.ClientId));
        Assert.Equal(1, await CountLiveAsync(limits));
    }

    [Fact]
    public async Task Revives_nothing_that_is_gone_at_another_version_or_not_expired()
    {
        var limits = Limits();
        var live = await RegisteredAsync(limits);
        var expired = await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Expired);
        var revoked = await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Revoked);
        var gone = await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Expired);
        await DeletedAsync(gone);
        Assert.Equal(ReviveOutcome.VersionConflict, await ReviveAsync(One, live, limits));
        Assert.Equal(ReviveOutcome.VersionConflict, await ReviveAsync(One, expired with { Version = 7 }, limits));
        Assert.Equal(ReviveOutcome.VersionConflict, await ReviveAsync(One, revoked, limits));
        Assert.Equal(ReviveOutcome.Gone, await ReviveAsync(One, gone, limits));
        Assert.Equal(ReviveOutcome.Gone, await ReviveAsync(One, Samples.Client(Now), limits));
        Assert.Equal(1, await CountLiveAsync(limits));
        Assert.Equal(1, await TrulyLiveAsync(limits));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(3L)]
    public async Task Of_50_revivals_of_a_client_that_race_one_revives_it(long? cap)
    {
        var limits = Limits(cap);
        await RegisteredAsync(limits);
        var expired = await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Expired);
        var outcomes = await RaceAsync(50, (node, _) => ReviveAsync(node, expired, limits));
        Assert.Single(outcomes, ReviveOutcome.Done);
        Assert.DoesNotContain(ReviveOutcome.Gone, outcomes);
        Assert.Equal(2, await CountLiveAsync(limits));
        Assert.Equal(3, await RecordsOfAsync(expired.ClientId));
    }

    [Fact]
    public async Task Of_many_clients_that_race_as_many_revive_as_the_cap_has_room()
    {
        var limits = Limits();
        var expired = new List<Client>();
        for (var i = 0; i < 12; i++)
        {
            expired.Add(await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Expired));
        }
        var outcomes = await RaceAsync(12, (node, i) => ReviveAsync(node, expired[i], limits with { MaxLiveClients = 5 }));
        Assert.Equal(5, outcomes.Count(outcome => outcome == ReviveOutcome.Done));
        Assert.Equal(7, outcomes.Count(outcome => outcome == ReviveOutcome.TooManyLiveClients));
        Assert.Equal(5, await CountLiveAsync(limits));
        Assert.Equal(5, await TrulyLiveAsync(limits));
    }
}
