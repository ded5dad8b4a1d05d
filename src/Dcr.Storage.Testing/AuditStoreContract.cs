using System.Text.Json;
using Dcr.Auditing;
using Dcr.Protocol;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>
/// A record is given back as it was added, newest first, page by page; one that belongs to a change is there when the change is
/// acknowledged, however the node ended after it.
/// </summary>
public abstract class AuditStoreContract(StoreUnderTest store) : StoreContract(store)
{
    [Fact]
    public async Task Gives_back_a_record_as_it_was_added()
    {
        var record = Record(Samples.NewId());
        await One.Audit.AddAsync(record, Cancellation);
        var bare = Record(record.Subject) with { Actor = null, ActorKid = null, Changes = new Dictionary<string, AuditChange>() };
        await One.Audit.AddAsync(bare, Cancellation);
        var listed = await Other.Audit.ListAsync(record.Subject, null, 10, Cancellation);
        Assert.Equal(
            [JsonSerializer.Serialize(bare), JsonSerializer.Serialize(record)], listed.Select(found => JsonSerializer.Serialize(found)));
    }

    [Fact]
    public async Task Lists_newest_first_page_by_page_and_by_subject()
    {
        var subject = Samples.NewId();
        var made = new List<string>();
        for (var i = 0; i < 9; i++)
        {
            var record = Record(subject);
            made.Add(record.Id);
            await One.Audit.AddAsync(record, Cancellation);
            await One.Audit.AddAsync(Record(Samples.NewId()), Cancellation);
            Store.Time.Advance(TimeSpan.FromMilliseconds(i % 2));
        }
        var listed = new List<string>();
        string? before = null;
        while (await Other.Audit.ListAsync(subject, before, 4, Cancellation) is { Count: > 0 } page)
        {
            listed.AddRange(page.Select(record => record.Id));
            before = page[^1].Id;
        }
        made.Reverse();
        Assert.Equal(made, listed);
        Assert.Superset(
            made.ToHashSet(), (await Other.Audit.ListAsync(null, null, 1000, Cancellation)).Select(record => record.Id).ToHashSet());
    }

    [Fact]
    [Requirement("P-AUDIT")]
    public async Task Lists_every_change_of_a_client_however_the_node_ended()
    {
        // Nothing runs in the background on this node: as after a kill.
        var client = Samples.Client(Now);
        await using (var node = Store.Open())
        {
            await node.Clients.AddAsync(client, Record(client), Grounds.Server, Cancellation);
            await node.Clients.ReplaceAsync(client with { Version = 2 }, Record(client), Grounds.Server, Cancellation);
            await node.Clients.DeleteAsync(client.ClientId, 2, Record(client), Grounds.Server, Cancellation);
        }
        Assert.Equal(3, (await Other.Audit.ListAsync(null, null, 1000, Cancellation)).Count(record => record.Subject == client.ClientId));
        Assert.Equal(3, (await Other.Audit.ListAsync(client.ClientId, null, 10, Cancellation)).Count);
    }
}
