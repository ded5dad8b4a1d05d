using Dcr.Clients;
using Dcr.Protocol;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>Listings by origin, status and kind: newest first, each client once, whatever else is in the store.</summary>
public abstract class ClientListingContract(StoreUnderTest store) : RegisteredClientsContract(store)
{
    private async Task<List<string>> PagedAsync(ClientFilter filter, int limit)
    {
        var listed = new List<string>();
        ClientCursor? after = null;
        while (await Other.Clients.ListAsync(filter, after, limit, Cancellation) is { Count: > 0 } page)
        {
            listed.AddRange(page.Select(client => client.ClientId));
            after = ClientCursor.Parse(ClientCursor.Of(page[^1]).ToString());
        }
        return listed;
    }

    private static IEnumerable<string> NewestFirst(IEnumerable<Client> clients) =>
        clients.OrderByDescending(client => client.CreatedAt)
            .ThenByDescending(client => client.ClientId, StringComparer.Ordinal)
            .Select(client => client.ClientId);

    [Fact]
    public async Task Pages_through_the_clients_of_an_origin_newest_first()
    {
        var limits = Limits();
        var clients = new List<Client>();
        for (var i = 0; i < 13; i++)
        {
            clients.Add(
                await RegisteredAsync(limits, client => client with { Origin = client.Origin! with { Kid = i % 2 == 0 ? "even" : null } }));
            await RegisteredAsync(Limits(), client => client with { Origin = client.Origin! with { Kid = "even" } });
            Store.Time.Advance(TimeSpan.FromMilliseconds(i % 4 == 0 ? 1 : 0));
        }
        var origin = new OriginFilter { OnboardingClient = limits.OnboardingClient };
        Assert.Equal(NewestFirst(clients), await PagedAsync(new ClientFilter { Origin = origin }, 4));
        Assert.Equal(
            NewestFirst(clients.Where(client => client.Origin!.Kid == "even")),
            await PagedAsync(new ClientFilter { Origin = origin with { Kid = "even" } }, 3));
        Assert.Empty(await PagedAsync(new ClientFilter { Origin = new OriginFilter { OnboardingClient = "nobody" } }, 3));
    }

    [Fact]
    public async Task Lists_by_origin_and_status_together()
    {
        var limits = Limits();
        var revoked = await BecomesAsync(await RegisteredAsync(limits), ClientStatus.Revoked);
        await RegisteredAsync(limits);
        await DeletedAsync(await RegisteredAsync(limits));
        var origin = new OriginFilter { OnboardingClient = limits.OnboardingClient };
        Assert.Equal([revoked.ClientId], await PagedAsync(new ClientFilter { Origin = origin, Status = ClientStatus.Revoked }, 3));
        Assert.Equal(2, (await PagedAsync(new ClientFilter { Origin = origin }, 1)).Count);
    }

    [Fact]
    public async Task Pages_through_onboarding_clients_only()
    {
        var onboarding = new List<Client>();
        for (var i = 0; i < 7; i++)
        {
            var client = Samples.Client(Now) with { Origin = null };
            await One.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation);
            onboarding.Add(client);
            await RegisteredAsync(Limits());
        }
        var former = onboarding[3] with { Version = 2, RegistrationPolicy = null };
        await One.Clients.ReplaceAsync(former, Record(former), Grounds.Server, Cancellation);
        Assert.Equal(
            NewestFirst(onboarding.Where(client => client.ClientId != former.ClientId)),
            await PagedAsync(new ClientFilter { OnboardingOnly = true }, 2));
        await DeletedAsync(onboarding[0]);
        Assert.Equal(5, (await PagedAsync(new ClientFilter { OnboardingOnly = true, Status = ClientStatus.Active }, 2)).Count);
    }
}
