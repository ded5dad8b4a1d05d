using System.Text.Json;
using Dcr.Keys;
using Dcr.Protocol;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>Of replacements of one version of a hosted key set, one is done; a deletion is of one version too.</summary>
public abstract class KeySetStoreContract(StoreUnderTest store) : StoreContract(store)
{
    private HostedKeySet Sample() => new()
    {
        Id = Guid.NewGuid().ToString("N"),
        Version = 1,
        CreatedAt = Now,
        Keys =
        [
            new HostedKey
            {
                Kid = "a",
                Thumbprint = "ta",
                Stage = HostedKeyState.Retiring,
                Since = Now,
                Until = Now.AddDays(1),
                Jwk = JsonSerializer.SerializeToElement(new { kty = "EC" }),
            },
            new HostedKey { Kid = "b", Thumbprint = "tb", Stage = HostedKeyState.Withdrawn, Since = Now },
        ],
    };

    private static IKeySetStore Sets(Node node) => node.Get<IKeySetStore>();

    private Dcr.Auditing.AuditRecord Record(HostedKeySet set) => Record(set.Id);

    [Fact]
    [Requirement("P-HOSTED")]
    public async Task Gives_back_a_set_as_it_was_added_and_replaces_one_version_once()
    {
        var set = Sample();
        await Sets(One).AddAsync(set, Record(set), Grounds.Server, Cancellation);
        Assert.Equal(JsonSerializer.Serialize(set), JsonSerializer.Serialize(await Sets(Other).FindAsync(set.Id, Cancellation)));

        var outcomes = await RaceAsync(20, (node, i) => Sets(node).ReplaceAsync(
            set with { Version = 2, Keys = [set.Keys[0] with { Kid = $"racer-{i}" }] }, Record(set), Grounds.Server, Cancellation));
        Assert.Single(outcomes, ReplaceOutcome.Done);
        Assert.Equal(
            $"racer-{Array.IndexOf(outcomes, ReplaceOutcome.Done)}", (await Sets(Other).FindAsync(set.Id, Cancellation))!.Keys[0].Kid);
        Assert.Equal(2, (await Other.Audit.ListAsync(set.Id, null, 10, Cancellation)).Count);

        Assert.Equal(ReplaceOutcome.VersionConflict, await Sets(One).DeleteAsync(set.Id, 1, Record(set), Grounds.Server, Cancellation));
        Assert.Equal(ReplaceOutcome.Done, await Sets(One).DeleteAsync(set.Id, 2, Record(set), Grounds.Server, Cancellation));
        Assert.Equal(ReplaceOutcome.Gone, await Sets(Other).DeleteAsync(set.Id, 2, Record(set), Grounds.Server, Cancellation));
        Assert.Null(await Sets(Other).FindAsync(set.Id, Cancellation));
        Assert.Equal(3, (await Other.Audit.ListAsync(set.Id, null, 10, Cancellation)).Count);
    }

    [Fact]
    [Requirement("P-HOSTED")]
    public async Task Lists_every_set_once()
    {
        var made = new HashSet<string>();
        for (var i = 0; i < 7; i++)
        {
            var set = Sample();
            await Sets(One).AddAsync(set, Record(set), Grounds.Server, Cancellation);
            made.Add(set.Id);
        }
        var listed = new List<string>();
        string? before = null;
        while (await Sets(Other).ListAsync(before, 3, Cancellation) is { Count: > 0 } page)
        {
            listed.AddRange(page.Select(set => set.Id));
            before = page[^1].Id;
        }
        Assert.Equal(listed.Count, listed.Distinct().Count());
        Assert.Superset(made, listed.ToHashSet());
    }
}
