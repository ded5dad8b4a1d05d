using System.Net;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>What is secret is in no text that ends in a log.</summary>
public sealed class SecrecyTests : IDisposable
{
    private const string Secret = "s3cr3t-s3cr3t-s3";

    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("dcr-secrecy-").FullName, "registration.json");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Nothing_secret_is_in_ToString()
    {
        using var key = ClientKey.Generate();
        var state = new RegistrationState { ClientId = "partner", RegistrationAccessToken = Secret, IdempotencyKey = Secret };
        var token = new AccessToken { Value = Secret, TokenType = "Bearer", ExpiresAt = DateTimeOffset.UtcNow };
        var initial = new InitialAccessToken(Secret, key);
        var attestation = new ClientAttestation($"{Secret}.{Secret}.{Secret}");

        Assert.DoesNotContain(Secret, $"{state} {token} {initial} {attestation}", StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE", $"{key} {new ClientCredentials("partner", key)} {key.PublicJwk} {key.PublicJwkSet}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_secret_is_in_an_exception()
    {
        var scripted = new ScriptedServer { OnToken = _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent($$"""{"access_token":"{{Secret}}","token_type":7}""") } };
        var tokens = new DcrClient(new HttpClient(scripted), ScriptedServer.Issuer, RealServer.Quick).AccessTokensFor(new ClientCredentials("worker", new RemoteKey()));

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => tokens.GetAsync(cancellationToken: Cancellation));

        Assert.DoesNotContain(Secret, fault.ToString(), StringComparison.Ordinal);
        Assert.All(scripted.Forms, form => Assert.DoesNotContain(form["client_assertion"], fault.ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void An_exception_says_what_the_server_said()
    {
        var refusal = new DcrException(HttpStatusCode.Unauthorized, "invalid_client", "The client is unknown.");

        Assert.Equal("401 invalid_client: The client is unknown.", refusal.Message);
    }

    [Fact]
    public async Task The_file_of_a_registration_is_its_owners_alone_and_replaced_as_a_whole()
    {
        var store = new FileRegistrationStore(_path);
        Assert.Null(await store.LoadAsync(Cancellation));
        var state = new RegistrationState { ClientId = "partner", RegistrationClientUri = new Uri("https://as.example/r/partner"), RegistrationAccessToken = Secret, ETag = "\"1\"", Pending = PendingRequest.Update };

        await store.SaveAsync(new RegistrationState { ClientId = new string('x', 5000) }, Cancellation);
        await store.SaveAsync(state, Cancellation);

        Assert.Equal(state, await new FileRegistrationStore(_path).LoadAsync(Cancellation));
        Assert.Equal([_path], Directory.GetFiles(Path.GetDirectoryName(_path)!));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_path));
        }
        await store.DeleteAsync(Cancellation);
        Assert.Null(await store.LoadAsync(Cancellation));
    }

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);
}
