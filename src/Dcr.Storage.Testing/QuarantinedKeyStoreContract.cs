using System.Buffers.Text;
using System.Security.Cryptography;
using Dcr.Auditing;
using Dcr.Clients;
using Dcr.Keys;
using Dcr.Protocol;
using Dcr.TokenStatus;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>Keys that are refused on the whole server, and the end of tokens with a key.</summary>
public abstract class QuarantinedKeyStoreContract(StoreUnderTest store) : StoreContract(store)
{
    private static IQuarantinedKeyStore Keys(Node node) => node.Get<IQuarantinedKeyStore>();

    private QuarantinedKey Key(string reason = "stolen") =>
        new(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)), reason, Now, "operator");

    private AuditRecord Record(QuarantinedKey key) => Record(key.Thumbprint);

    [Fact]
    [Requirement("P-REV")]
    public async Task What_one_node_puts_in_quarantine_or_takes_out_every_node_sees_at_once()
    {
        var key = Key();
        var other = Key();
        Assert.Empty(await Keys(Other).FilterAsync([key.Thumbprint, other.Thumbprint], Cancellation));

        Assert.Equal(QuarantineOutcome.Done, await Keys(One).AddAsync(key, Record(key), Grounds.Server, Cancellation));
        Assert.Equal([key.Thumbprint], await Keys(Other).FilterAsync([other.Thumbprint, key.Thumbprint], Cancellation));
        Assert.Equal(key, await Keys(Other).FindAsync(key.Thumbprint, Cancellation));
        Assert.Contains(key, await Keys(Other).ListAsync(null, 1000, Cancellation));
        Assert.DoesNotContain(key, await Keys(Other).ListAsync(key.Thumbprint, 1000, Cancellation));

        Assert.Equal(QuarantineOutcome.Done, await Keys(Other).RemoveAsync(key.Thumbprint, Record(key), Grounds.Server, Cancellation));
        Assert.Empty(await Keys(One).FilterAsync([key.Thumbprint], Cancellation));
        Assert.Null(await Keys(One).FindAsync(key.Thumbprint, Cancellation));
        Assert.Equal(QuarantineOutcome.AsItWas, await Keys(One).RemoveAsync(key.Thumbprint, Record(key), Grounds.Server, Cancellation));

        Assert.Equal(QuarantineOutcome.Done, await Keys(One).AddAsync(key, Record(key), Grounds.Server, Cancellation));
        Assert.Equal(3, (await Other.Audit.ListAsync(key.Thumbprint, null, 10, Cancellation)).Count);
    }

    [Fact]
    public async Task Of_many_that_add_one_key_one_does_and_one_record_is_kept()
    {
        var key = Key();
        var added = await RaceAsync(
            20, (node, i) => Keys(node).AddAsync(key with { Reason = $"reason {i}" }, Record(key), Grounds.Server, Cancellation));
        Assert.Single(added, QuarantineOutcome.Done);
        Assert.Single(await Other.Audit.ListAsync(key.Thumbprint, null, 100, Cancellation));

        var removed = await RaceAsync(20, (node, _) => Keys(node).RemoveAsync(key.Thumbprint, Record(key), Grounds.Server, Cancellation));
        Assert.Single(removed, QuarantineOutcome.Done);
        Assert.Equal(2, (await Other.Audit.ListAsync(key.Thumbprint, null, 100, Cancellation)).Count);
    }

    [Fact]
    [Requirement("P-REV")]
    public async Task A_replacement_that_ends_tokens_uses_up_the_status_index_with_the_same_write()
    {
        var client = Samples.Client(Now);
        await One.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation);
        var before = await One.Get<IStatusListStore>().AssignAsync(client.ClientId, Cancellation);

        var outcome = await Other.Get<IClientLifecycleStore>().ReplaceAndEndTokensAsync(
            client with { Version = 2, QuarantinedKeys = ["x"] }, Record(client), Grounds.Server, Cancellation);

        Assert.Equal(ReplaceOutcome.Done, outcome);
        var stored = (await One.Clients.FindAsync(client.ClientId, Cancellation))!;
        Assert.Equal(ClientStatus.Active, stored.Status);
        Assert.Null(stored.StatusIndex);
        Assert.Equal(["x"], stored.QuarantinedKeys);
        var place = StatusReference.PlaceOf(before!.Value);
        var bits = await One.Get<IStatusListStore>().ReadAsync(StatusReference.ListOf(before.Value), Cancellation);
        Assert.NotEqual(0, bits[place / 8] & (1 << (place % 8)));
        Assert.NotEqual(before, await One.Get<IStatusListStore>().AssignAsync(client.ClientId, Cancellation));
    }
}
