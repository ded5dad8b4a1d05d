using Dcr.Protocol;
using Dcr.SigningKeys;
using Xunit;

namespace Dcr.Storage.Testing;

/// <summary>Of nodes that make a key of one generation, one adds it, with its record.</summary>
public abstract class SigningKeyStoreContract(StoreUnderTest store) : StoreContract(store)
{
    private StoredSigningKey Key(int generation, string kid) => new(
        generation, kid, "ES256", new byte[] { 1, 2, (byte)generation }, Now, Now.AddDays(1), RevokesUpTo: generation - 1);

    [Fact]
    [Requirement("P-SIGNKEY")]
    public async Task Adds_one_of_50_keys_that_race_for_a_generation_with_its_record()
    {
        var outcomes = await RaceAsync(50, (node, i) =>
            node.SigningKeys.AddAsync(Key(1, $"kid-{i}"), Record($"kid-{i}"), Grounds.Server, Cancellation));
        Assert.Single(outcomes, AddSigningKeyOutcome.Added);
        var winner = Array.IndexOf(outcomes, AddSigningKeyOutcome.Added);
        Assert.Equal(
            AddSigningKeyOutcome.Added, await Other.SigningKeys.AddAsync(Key(2, "next"), Record("next"), Grounds.Server, Cancellation));

        var keys = await Other.SigningKeys.ListAsync(Cancellation);
        Assert.Equal([1, 2], keys.Select(key => key.Generation));
        var expected = Key(1, $"kid-{winner}");
        Assert.Equal(expected with { ProtectedPrivateKey = default }, keys[0] with { ProtectedPrivateKey = default });
        Assert.Equal(expected.ProtectedPrivateKey.ToArray(), keys[0].ProtectedPrivateKey.ToArray());
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(i == winner ? 1 : 0, (await One.Audit.ListAsync($"kid-{i}", null, 10, Cancellation)).Count);
        }

        await One.SigningKeys.RemoveAsync(1, Cancellation);
        await Other.SigningKeys.RemoveAsync(1, Cancellation);
        Assert.Equal(2, Assert.Single(await One.SigningKeys.ListAsync(Cancellation)).Generation);
    }
}
