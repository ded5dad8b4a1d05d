using System.Text;
using Dcr.Keys;
using Dcr.ProtocolTests.Support;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The server's own keys: the same after a restart, and of no use to who steals the database.</summary>
public sealed class SigningKeyTests
{
    [Fact]
    [Requirement("P-SIGNKEY", "R9068-5-01")]
    public async Task Outlive_a_restart_so_that_tokens_stay_valid()
    {
        await using var server = new SqliteServer();
        await server.InitializeAsync();
        var token = await server.InitialAccessTokenAsync();
        var before = (await server.GetAsync("/oauth/jwks")).Text;
        await server.StopAsync();
        await server.StartAsync();
        Assert.Equal(before, (await server.GetAsync("/oauth/jwks")).Text);
        (await server.RegisterAsync(token, Requests.Metadata(TestKey.Create()))).Succeeded(System.Net.HttpStatusCode.Created);
    }

    [Fact]
    [Requirement("P-SIGNKEY")]
    public async Task Are_encrypted_in_the_store_by_the_key_ring()
    {
        await using var server = new SqliteServer();
        await server.InitializeAsync();
        var stored = Assert.Single(await server.Services.GetRequiredService<ISigningKeyStore>().ListAsync(TestContext.Current.CancellationToken));
        var protectedKey = stored.ProtectedPrivateKey.ToArray();
        var pkcs8 = server.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("Dcr.SigningKeys.v1").Unprotect(protectedKey);
        using var key = System.Security.Cryptography.ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        Assert.DoesNotContain(Encoding.Latin1.GetString(key.ExportParameters(true).D!), Encoding.Latin1.GetString(protectedKey), StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-SIGNKEY")]
    public async Task Stop_the_start_of_a_node_with_another_key_ring()
    {
        await using var server = new SqliteServer();
        await server.InitializeAsync();
        await server.StopAsync();
        Directory.Delete(Path.Combine(server.Directory, "keys"), recursive: true);
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(server.StartAsync);
        Assert.Contains("KeyRingPath", fault.Message, StringComparison.Ordinal);
    }
}
