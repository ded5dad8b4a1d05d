using System.Text.RegularExpressions;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>The examples of the package's README: compiled here, word for word, and run.</summary>
public sealed partial class ReadmeTests(RealServer server) : IClassFixture<RealServer>
{
    [Fact]
    public Task The_example_works() =>
        RunAsync(server.Issuer, server.Onboarding.Key, server.TempFile("client.pem"), server.TempFile("client.json"), "correct horse battery staple");

    private static async Task RunAsync(string issuer, ISigningKey directoryKey, string keyFile, string registrationFile, string password)
    {
        // example
        // A key of the client's own. Its private half stays here.
        using var key = ClientKey.Generate();
        await File.WriteAllTextAsync(keyFile, key.ExportPrivatePem(password));

        var services = new ServiceCollection();
        services.AddDcrClient(issuer);
        var dcr = services.BuildServiceProvider().GetRequiredService<DcrClient>();

        // Somebody who may onboard others gets the right to register one client.
        var initial = await dcr.GetInitialAccessTokenAsync(new ClientCredentials("partner-directory", directoryKey));

        // The client registers. When this fails half-way, call it again: there will be one client.
        var registration = dcr.RegistrationIn(new FileRegistrationStore(registrationFile));
        var client = await registration.RegisterAsync(initial, new ClientMetadata { ClientName = "Warehouse 7", Scope = "read" }, key);

        // From now on: access tokens, kept and renewed.
        var tokens = dcr.AccessTokensFor(new ClientCredentials(client.ClientId, key));
        var token = await tokens.GetAsync("read");
        Console.WriteLine($"{token.TokenType} token until {token.ExpiresAt:t}");

        // The client changes itself, and leaves.
        client = await registration.ReadAsync();
        client = await registration.UpdateAsync(client.Metadata with { Scope = "read write" }, client.ETag);
        await registration.DeleteAsync();
        // end
    }

    [Fact]
    public async Task The_example_of_a_validation_works()
    {
        var dcr = server.Connect();
        await ValidateAsync(dcr, await dcr.GetInitialAccessTokenAsync(server.Onboarding, cancellationToken: TestContext.Current.CancellationToken), new RemoteKey());
    }

    private static async Task ValidateAsync(DcrClient dcr, InitialAccessToken initial, ISigningKey key)
    {
        // example
        var wouldBe = await dcr.ValidateRegistrationAsync(initial, new ClientMetadata { ClientName = "Warehouse 7" }, key);
        Console.WriteLine($"would get the scope {wouldBe.Scope}");
        // end
    }

    [Fact]
    public async Task The_example_of_hosted_keys_works()
    {
        var dcr = server.Connect();
        using var oldKey = ClientKey.Generate();
        using var newKey = ClientKey.Generate();
        var registration = dcr.RegistrationIn(new MemoryStore());
        await registration.RegisterAsync(
            await dcr.GetInitialAccessTokenAsync(server.Onboarding, cancellationToken: TestContext.Current.CancellationToken),
            new ClientMetadata { JwksUri = await server.HostAsync(oldKey.PublicJwk) },
            oldKey,
            TestContext.Current.CancellationToken);
        await RenewAsync(registration, oldKey, newKey);
    }

    private static async Task RenewAsync(ClientRegistration registration, ClientKey oldKey, ClientKey newKey)
    {
        // example
        var keys = registration.HostedKeys;
        await keys.AddAsync(newKey.PublicJwk, provenBy: oldKey);
        await keys.ActivateAsync(newKey.PublicJwk.Kid!, provenBy: oldKey);

        // From here on sign with the new key. The old one is good for another day; a stolen one: WithdrawAsync.
        await keys.RetireAsync(oldKey.PublicJwk.Kid!, DateTimeOffset.UtcNow.AddDays(1), provenBy: newKey);

        foreach (var hosted in (await keys.ReadAsync()).Keys)
        {
            Console.WriteLine($"{hosted.Kid} is {hosted.State}, last used {hosted.LastUsedAt:g}");
        }
        // end
    }

    [Fact]
    public async Task The_example_of_a_mobile_app_works()
    {
        using var deviceKey = ClientKey.Generate();
        await AttestAsync(server.Connect(), server.Attester, deviceKey.PublicJwk, deviceKey, new MemoryStore());
    }

    private static async Task AttestAsync(DcrClient dcr, ISigningKey backendKey, PublicJwk devicePublicJwk, ISigningKey deviceKey, IRegistrationStore deviceStore)
    {
        // example
        // The backend: the policy of orders-app trusts https://app.example and its key.
        var attestation = await ClientAttestation.CreateAsync("https://app.example", backendKey, "orders-app", devicePublicJwk);
        var handOver = attestation.Value;

        // The device.
        var initial = await dcr.GetInitialAccessTokenAsync(new ClientAttestation(handOver), deviceKey);
        var client = await dcr.RegistrationIn(deviceStore).RegisterAsync(initial, new ClientMetadata { ClientName = "Orders app on a phone" }, deviceKey);
        // end
    }

    [Fact]
    public async Task The_examples_are_those_of_the_README()
    {
        var readme = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "src", "Dcr.Client", "README.md"), TestContext.Current.CancellationToken);
        var source = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "tests", "Dcr.ClientTests", "ReadmeTests.cs"), TestContext.Current.CancellationToken);

        var written = Block().Matches(readme).Select(block => Lines(block.Groups["code"].Value)).ToList();
        var compiled = Region().Matches(source).Select(region => Lines(region.Groups["code"].Value)).ToList();

        Assert.Equal(4, compiled.Count);
        Assert.Equal(compiled, written);
    }

    private static string[] Lines(string code) => [.. code.Trim().Split('\n').Select(line => line.Trim())];

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("        // example\n(?<code>.*?)        // end\n", RegexOptions.Singleline)]
    private static partial Regex Region();
}
