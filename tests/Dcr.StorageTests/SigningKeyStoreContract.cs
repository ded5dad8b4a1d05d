using Dcr.Keys;
using Xunit;

namespace Dcr.StorageTests;

public abstract class SigningKeyStoreContract(StoreUnderTest store) : StoreContract(store)
{
    [Fact]
    [Requirement("P-SIGNKEY")]
    public async Task Adds_one_of_50_keys_that_race_for_a_generation()
    {
        var outcomes = await RaceAsync(50, (node, i) =>
            node.SigningKeys.AddAsync(new StoredSigningKey(1, $"kid-{i}", "ES256", new byte[] { 1, 2, (byte)i }, Store.Time.GetUtcNow()), Cancellation));
        Assert.Single(outcomes, AddSigningKeyOutcome.Added);
        var winner = Array.IndexOf(outcomes, AddSigningKeyOutcome.Added);

        Assert.Equal(AddSigningKeyOutcome.Added, await Other.SigningKeys.AddAsync(new StoredSigningKey(2, "next", "ES256", new byte[] { 9 }, Store.Time.GetUtcNow()), Cancellation));
        var keys = await Other.SigningKeys.ListAsync(Cancellation);
        Assert.Equal([1, 2], keys.Select(key => key.Generation));
        Assert.Equal($"kid-{winner}", keys[0].Kid);
        Assert.Equal(new byte[] { 1, 2, (byte)winner }, keys[0].ProtectedPrivateKey.ToArray());
        Assert.Equal(Store.Time.GetUtcNow(), keys[0].CreatedAt);
    }
}

public sealed class SigningKeyStoreOnSqlite(SqliteUnderTest store) : SigningKeyStoreContract(store), IClassFixture<SqliteUnderTest>;

public sealed class SigningKeyStoreOnMongoDb(MongoDbUnderTestStore store) : SigningKeyStoreContract(store), IClassFixture<MongoDbUnderTestStore>;
