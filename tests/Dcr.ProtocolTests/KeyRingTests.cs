using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.Options;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>The key ring that opens what is secret in the store: under a passphrase where there is one, and told of where it lies open.</summary>
public sealed class KeyRingTests : IAsyncLifetime
{
    private readonly SqliteServer _server = new();

    private string PassphrasePath => Path.Combine(_server.Directory, "passphrase");

    private string Ring => Path.Combine(_server.Directory, "keys");

    public async ValueTask InitializeAsync()
    {
        await _server.PrepareAsync();
        await File.WriteAllTextAsync(PassphrasePath, "correct horse battery staple\n", TestContext.Current.CancellationToken);
        _server.Settings["Dcr:DataProtection:PassphraseFile"] = PassphrasePath;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    [Requirement("P-KEYRING")]
    public async Task Lies_under_the_passphrase_and_opens_with_it_after_a_restart()
    {
        await _server.StartAsync();
        var before = (await _server.GetAsync("/oauth/jwks")).Succeeded().Text;
        var file = await File.ReadAllTextAsync(Assert.Single(Directory.GetFiles(Ring, "key-*.xml")), TestContext.Current.CancellationToken);
        Assert.Contains("passphraseProtected", file, StringComparison.Ordinal);
        Assert.DoesNotContain("masterKey", file, StringComparison.Ordinal);
        Assert.DoesNotContain(_server.Log.Lines, line => line.Contains("lie in clear", StringComparison.Ordinal));

        await _server.StopAsync();
        await _server.StartAsync();
        Assert.Equal(before, (await _server.GetAsync("/oauth/jwks")).Succeeded().Text);
        (await _server.PostTokenAsync(_server.Assertion(_server.AdminKey, DcrServer.Admin).Sign(), "dcr.admin")).Succeeded();
    }

    [Theory]
    [Requirement("P-KEYRING", "P-OPTIONS")]
    [InlineData("another passphrase altogether", "does not open the key ring")]
    [InlineData("too short", "at least 16 characters")]
    [InlineData(null, "no such file")]
    public async Task Another_passphrase_stops_the_start_and_makes_no_second_key(string? passphrase, string fault)
    {
        await _server.StartAsync();
        await _server.StopAsync();
        if (passphrase is null)
        {
            File.Delete(PassphrasePath);
        }
        else
        {
            await File.WriteAllTextAsync(PassphrasePath, passphrase, TestContext.Current.CancellationToken);
        }
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(_server.StartAsync);
        Assert.Contains(fault, refused.Message, StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(Ring));
    }

    [Fact]
    [Requirement("P-KEYRING", "P-OPTIONS")]
    public async Task A_ring_under_a_passphrase_is_not_taken_for_an_open_one()
    {
        await _server.StartAsync();
        await _server.StopAsync();
        _server.Settings.Remove("Dcr:DataProtection:PassphraseFile");
        var refused = await Assert.ThrowsAsync<OptionsValidationException>(_server.StartAsync);
        Assert.Contains("PassphraseFile is missing", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-KEYRING")]
    public async Task What_lies_open_is_told_in_one_line()
    {
        _server.Settings.Remove("Dcr:DataProtection:PassphraseFile");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(_server.Directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead);
        }
        await _server.StartAsync();
        var line = Assert.Single(_server.Log.Lines, line => line.Contains("Not protected", StringComparison.Ordinal));
        Assert.Contains($"the keys in {Ring} lie in clear", line, StringComparison.Ordinal);
        Assert.Equal(!OperatingSystem.IsWindows(), line.Contains($"the folder {_server.Directory} is open to other users", StringComparison.Ordinal));
    }
}
