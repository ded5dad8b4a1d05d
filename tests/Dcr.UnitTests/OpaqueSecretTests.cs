using Dcr.Protocol;
using Xunit;

namespace Dcr.UnitTests;

public sealed class OpaqueSecretTests
{
    [Fact]
    [Requirement("R7592-5-02", "R7515-10.1-01")]
    public void Is_256_bits_that_only_its_hash_is_kept_of()
    {
        var secret = OpaqueSecret.Create();
        Assert.Equal(43, secret.Length);
        Assert.NotEqual(secret, OpaqueSecret.Create());
        var hash = OpaqueSecret.Hash(secret);
        Assert.NotEqual(secret, hash);
        Assert.True(OpaqueSecret.Matches(secret, hash));
        Assert.False(OpaqueSecret.Matches(OpaqueSecret.Create(), hash));
        Assert.False(OpaqueSecret.Matches(hash, hash));
        Assert.False(OpaqueSecret.Matches("", hash));
        Assert.False(OpaqueSecret.Matches(secret, null));
    }
}
