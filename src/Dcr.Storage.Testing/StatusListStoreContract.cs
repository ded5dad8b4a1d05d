using Dcr.AccessTokens;
using Dcr.Clients;
using Dcr.Protocol;
using Dcr.TokenStatus;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>
/// A client has one index, no two clients have the same, and one that was used up is dead for ever. A client that stops uses its index up
/// in the very write that stops it.
/// </summary>
public abstract class StatusListStoreContract(StoreUnderTest store) : StoreContract(store)
{
    protected static IStatusListStore Statuses(Node node) => node.Get<IStatusListStore>();

    /// <summary>By nobody, so that it counts against no cap.</summary>
    protected async Task<(Client Client, long Index)> WithIndexAsync()
    {
        var client = Samples.Client(Now) with { Origin = null };
        await One.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation);
        return (client, (await Statuses(One).AssignAsync(client.ClientId, Cancellation))!.Value);
    }

    protected async Task<bool> IsSetAsync(long index)
    {
        var bits = await Statuses(Other).ReadAsync(StatusReference.ListOf(index), Cancellation);
        var place = StatusReference.PlaceOf(index);
        return (bits[place / 8] & (1 << (place % 8))) != 0;
    }

    [Fact]
    public async Task Gives_a_client_one_index_however_many_ask()
    {
        var client = Samples.Client(Now) with { Origin = null };
        await One.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation);
        var indexes = await RaceAsync(50, (node, _) => Statuses(node).AssignAsync(client.ClientId, Cancellation));
        var index = Assert.Single(indexes.Distinct());
        Assert.Equal(index, (await Other.Clients.FindAsync(client.ClientId, Cancellation))!.StatusIndex);
        Assert.NotNull(await Statuses(Other).FindVersionAsync(StatusReference.ListOf(index!.Value), Cancellation));
    }

    [Fact]
    public async Task Gives_no_two_clients_the_same_index()
    {
        var made = await RaceAsync(40, (_, _) => WithIndexAsync());
        Assert.Equal(40, made.Select(client => client.Index).Distinct().Count());
    }

    [Fact]
    public async Task Gives_none_to_a_client_that_is_not_active_or_gone()
    {
        var client = Samples.Client(Now) with { Origin = null, Status = ClientStatus.Suspended };
        await One.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation);
        Assert.Null(await Statuses(One).AssignAsync(client.ClientId, Cancellation));
        Assert.Null(await Statuses(One).AssignAsync("nobody", Cancellation));
    }

    [Theory]
    [InlineData(ClientStatus.Suspended)]
    [InlineData(ClientStatus.Revoked)]
    [InlineData(ClientStatus.Expired)]
    public async Task Uses_the_index_up_when_the_client_stops(ClientStatus status)
    {
        var (client, index) = await WithIndexAsync();
        var before = await Statuses(Other).FindVersionAsync(StatusReference.ListOf(index), Cancellation);
        Assert.False(await IsSetAsync(index));
        Assert.Equal(
            ReplaceOutcome.Done,
            await One.Clients.ReplaceAsync(client with { Version = 2, Status = status }, Record(client), Grounds.Server, Cancellation));
        Assert.True(await IsSetAsync(index));
        Assert.True(await Statuses(Other).FindVersionAsync(StatusReference.ListOf(index), Cancellation) > before);
        Assert.Null((await Other.Clients.FindAsync(client.ClientId, Cancellation))!.StatusIndex);
    }

    [Fact]
    public async Task Leaves_the_index_alone_when_the_client_is_changed_otherwise()
    {
        var (client, index) = await WithIndexAsync();
        await One.Clients.ReplaceAsync(
            client with { Version = 2, StatusIndex = null, Metadata = client.Metadata with { ClientName = "other" } },
            Record(client),
            Grounds.Server,
            Cancellation);
        Assert.Equal(index, (await Other.Clients.FindAsync(client.ClientId, Cancellation))!.StatusIndex);
        Assert.False(await IsSetAsync(index));
    }

    [Fact]
    public async Task Uses_the_index_up_when_the_client_is_deleted_or_signed_out()
    {
        var (deleted, first) = await WithIndexAsync();
        Assert.Equal(
            ReplaceOutcome.Done, await One.Clients.DeleteAsync(deleted.ClientId, 1, Record(deleted), Grounds.Server, Cancellation));
        Assert.True(await IsSetAsync(first));

        var (client, second) = await WithIndexAsync();
        Assert.Equal(ReplaceOutcome.Done, await One.Clients.SignOutAsync(client.ClientId, 1, Record(client), Grounds.Server, Cancellation));
        Assert.Equal(
            ReplaceOutcome.VersionConflict,
            await One.Clients.SignOutAsync(client.ClientId, 1, Record(client), Grounds.Server, Cancellation));
        Assert.Equal(ReplaceOutcome.Gone, await One.Clients.SignOutAsync("nobody", 1, Record(client), Grounds.Server, Cancellation));
        Assert.True(await IsSetAsync(second));
        var fresh = await Statuses(Other).AssignAsync(client.ClientId, Cancellation);
        Assert.NotEqual(second, fresh);
        Assert.False(await IsSetAsync(fresh!.Value));
        Assert.Equal(2, (await Other.Audit.ListAsync(client.ClientId, null, 10, Cancellation)).Count);
    }

    [Fact]
    public async Task Sets_every_bit_of_clients_that_stop_at_once()
    {
        var made = await RaceAsync(60, (_, _) => WithIndexAsync());
        await RaceAsync(60, (node, i) => node.Clients.ReplaceAsync(
            made[i].Client with { Version = 2, Status = ClientStatus.Revoked }, Record(made[i].Client), Grounds.Server, Cancellation));
        foreach (var (_, index) in made)
        {
            Assert.True(await IsSetAsync(index));
        }
    }

    [Fact]
    [Requirement("R7009-2.1-03")]
    public async Task Remembers_revoked_tokens_on_every_node()
    {
        var jti = Guid.NewGuid().ToString();
        var expiresAt = Now.AddMinutes(5);
        Assert.False(await Other.Get<IRevokedTokenStore>().IsRevokedAsync(jti, Cancellation));
        await RaceAsync(10, async (node, i) =>
        {
            await node.Get<IRevokedTokenStore>().AddAsync(jti, expiresAt, Cancellation);
            return i;
        });
        Assert.True(await Other.Get<IRevokedTokenStore>().IsRevokedAsync(jti, Cancellation));
        Assert.False(await One.Get<IRevokedTokenStore>().IsRevokedAsync("another", Cancellation));
    }
}
