using Dcr.Onboarding;
using Dcr.Protocol;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>The entry of a seed file that made a client is remembered beyond the client.</summary>
public abstract class SeededClientStoreContract(StoreUnderTest store) : StoreContract(store)
{
    [Fact]
    [Requirement("P-SEED")]
    public async Task Remembers_the_last_entry_of_each_client_also_when_the_client_is_gone()
    {
        var client = Samples.Client(Now);
        var seeded = One.Get<ISeededClientStore>();
        Assert.Null(await seeded.FindEntryAsync(client.ClientId, Cancellation));
        await seeded.RecordEntryAsync(client.ClientId, "first", Cancellation);
        await seeded.RecordEntryAsync(client.ClientId, "second", Cancellation);
        await One.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation);
        await One.Clients.DeleteAsync(client.ClientId, client.Version, Record(client), Grounds.Server, Cancellation);
        Assert.Equal("second", await Other.Get<ISeededClientStore>().FindEntryAsync(client.ClientId, Cancellation));
    }
}
