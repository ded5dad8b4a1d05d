using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>
/// The latest use of a key stays, in whatever order nodes tell of it. Of a deletion of its owner and a use at once, nothing is left.
/// </summary>
public abstract class KeyUseStoreContract(StoreUnderTest store) : StoreContract(store)
{
    private static IKeyUseStore Uses(Node node) => node.Get<IKeyUseStore>();

    [Fact]
    public async Task Keeps_the_latest_use_of_each_key_of_each_client()
    {
        var client = Samples.Client(Now.AddMinutes(-10));
        var other = Samples.Client(Now.AddMinutes(-10));
        foreach (var added in new[] { client, other })
        {
            await One.Clients.AddAsync(added, Record(added), Grounds.Server, Cancellation);
        }
        var now = Now;
        await Uses(One).RecordAsync(
            [new(client.ClientId, "a", now), new(client.ClientId, "b", now.AddMinutes(-5)), new(other.ClientId, "a", now.AddHours(1))],
            Cancellation);
        await Uses(Other).RecordAsync(
            [new(client.ClientId, "a", now.AddMinutes(-1)), new(client.ClientId, "b", now.AddMinutes(1))], Cancellation);
        var found = await Uses(Other).FindAsync(client.ClientId, Cancellation);
        Assert.Equal(2, found.Count);
        Assert.Equal(now, found["a"]);
        Assert.Equal(now.AddMinutes(1), found["b"]);
        Assert.Empty(await Uses(One).FindAsync("nobody", Cancellation));
    }

    [Fact]
    public async Task Takes_the_first_use_of_a_key_from_many_nodes_at_once()
    {
        var client = Samples.Client(Now);
        await One.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation);
        var now = Now;
        await RaceAsync(40, async (node, i) =>
        {
            await Uses(node).RecordAsync([new(client.ClientId, "a", now.AddSeconds(i)), new(client.ClientId, "b", now)], Cancellation);
            return i;
        });
        var found = await Uses(Other).FindAsync(client.ClientId, Cancellation);
        Assert.Equal(now.AddSeconds(39), found["a"]);
        Assert.Equal(now, found["b"]);
    }

    private async Task<Client> AddedAsync(string? clientId = null)
    {
        var client = Samples.Client(Now, clientId);
        Assert.Equal(AddClientOutcome.Added, await One.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation));
        return client;
    }

    private async Task<HostedKeySet> AddedSetAsync()
    {
        var set = new HostedKeySet { Id = Guid.NewGuid().ToString("N"), Version = 1, CreatedAt = Now };
        await One.Get<IKeySetStore>().AddAsync(set, Record(set.Id), Grounds.Server, Cancellation);
        return set;
    }

    private async Task DeleteAsync(Client client) =>
        Assert.Equal(
            ReplaceOutcome.Done,
            await Other.Clients.DeleteAsync(client.ClientId, client.Version, Record(client), Grounds.Server, Cancellation));

    [Fact]
    [Requirement("P-KEYUSE")]
    public async Task Forgets_the_uses_of_a_client_with_the_client_and_takes_none_afterwards()
    {
        var client = await AddedAsync();
        var use = new KeyUse(client.ClientId, "a", Now);
        await Uses(One).RecordAsync([use], Cancellation);
        await DeleteAsync(client);
        Assert.Empty(await Uses(One).FindAsync(client.ClientId, Cancellation));
        // As a node does that has kept it for its next minute.
        await Uses(Other).RecordAsync([use, use with { ClientId = "nobody" }], Cancellation);
        Assert.Empty(await Uses(One).FindAsync(client.ClientId, Cancellation));
        Assert.Empty(await Uses(One).FindAsync("nobody", Cancellation));
    }

    [Fact]
    [Requirement("P-KEYUSE")]
    public async Task Shows_a_new_client_under_an_old_id_nothing_of_the_one_before()
    {
        var before = await AddedAsync();
        var use = new KeyUse(before.ClientId, "a", Now);
        await Uses(One).RecordAsync([use], Cancellation);
        await DeleteAsync(before);
        Store.Time.Advance(TimeSpan.FromSeconds(1));
        await AddedAsync(before.ClientId);
        await Uses(Other).RecordAsync([use], Cancellation);
        Assert.Empty(await Uses(One).FindAsync(before.ClientId, Cancellation));
        var later = use with { UsedAt = Now };
        await Uses(Other).RecordAsync([later], Cancellation);
        Assert.Equal(later.UsedAt, Assert.Single(await Uses(One).FindAsync(before.ClientId, Cancellation)).Value);
    }

    [Fact]
    [Requirement("P-KEYUSE")]
    public async Task Keeps_the_uses_of_a_key_set_until_it_is_deleted()
    {
        var set = await AddedSetAsync();
        var use = new KeyUse(KeyUse.KeySetPrefix + set.Id, "a", Now);
        await Uses(One).RecordAsync([use], Cancellation);
        Assert.Equal(use.UsedAt, Assert.Single(await Uses(Other).FindAsync(use.ClientId, Cancellation)).Value);
        await Other.Get<IKeySetStore>().DeleteAsync(set.Id, set.Version, Record(set.Id), Grounds.Server, Cancellation);
        await Uses(One).RecordAsync([use], Cancellation);
        Assert.Empty(await Uses(Other).FindAsync(use.ClientId, Cancellation));
    }

    [Fact]
    [Requirement("P-KEYUSE")]
    public async Task Leaves_nothing_of_deletions_that_race_with_uses()
    {
        var clients = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AddedAsync()));
        var uses = clients.Select(client => new KeyUse(client.ClientId, "a", Now)).ToList();
        var recording = RaceAsync(10, async (node, _) =>
        {
            await Uses(node).RecordAsync(uses, Cancellation);
            return true;
        });
        await Task.WhenAll(clients.Select(DeleteAsync));
        await recording;
        foreach (var client in clients)
        {
            Assert.Empty(await Uses(One).FindAsync(client.ClientId, Cancellation));
        }
    }

    [Fact]
    [Requirement("P-KEYUSE")]
    public async Task Takes_very_many_at_once()
    {
        var client = await AddedAsync();
        var now = Now;
        await Uses(One).RecordAsync([.. Enumerable.Range(0, 2500).Select(i => new KeyUse(client.ClientId, $"key {i}", now))], Cancellation);
        Assert.Equal(2500, (await Uses(Other).FindAsync(client.ClientId, Cancellation)).Count);
    }
}
