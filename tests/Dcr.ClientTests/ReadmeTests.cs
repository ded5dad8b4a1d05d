using System.Text.RegularExpressions;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>The example of the package's README: compiled here, word for word, and run.</summary>
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
    public async Task The_example_is_the_one_of_the_README()
    {
        var readme = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "src", "Dcr.Client", "README.md"), TestContext.Current.CancellationToken);
        var source = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "tests", "Dcr.ClientTests", "ReadmeTests.cs"), TestContext.Current.CancellationToken);

        var written = Block().Match(readme).Groups["code"].Value;
        var compiled = Region().Match(source).Groups["code"].Value;

        Assert.NotEmpty(compiled);
        Assert.Equal(Lines(compiled), Lines(written));
    }

    private static IEnumerable<string> Lines(string code) => code.Trim().Split('\n').Select(line => line.Trim());

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex("        // example\n(?<code>.*?)        // end\n", RegexOptions.Singleline)]
    private static partial Regex Region();
}
