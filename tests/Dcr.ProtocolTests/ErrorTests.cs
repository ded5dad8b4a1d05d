using System.Net;
using System.Net.Sockets;
using System.Text;
using Dcr.ProtocolTests.Support;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>What no endpoint in particular answers: unknown paths, broken HTTP, and what must never be logged.</summary>
public sealed class ErrorTests(SqliteServer server) : ServerTests(server), IClassFixture<SqliteServer>
{
    [Theory]
    [Requirement("R7591-3.2.2-01")]
    [InlineData("/")]
    [InlineData("/oauth/nothing")]
    [InlineData("/admin/v1/nothing")]
    [InlineData("/oauth/register/a/b")]
    public async Task An_unknown_path_is_404(string path) => (await Server.GetAsync(path)).Refused(HttpStatusCode.NotFound, "not_found");

    [Theory]
    [Requirement("R7592-2.3-03")]
    [InlineData("POST", "/.well-known/oauth-authorization-server", "GET")]
    [InlineData("POST", "/oauth/jwks", "GET")]
    [InlineData("PATCH", "/oauth/register/x", "DELETE")]
    [InlineData("DELETE", "/admin/v1/clients", "GET")]
    public async Task A_wrong_method_is_405_and_names_the_right_one(string method, string path, string allowed)
    {
        var answer = await Server.SendAsync(new HttpMethod(method), path, null, (HttpContent?)null);
        answer.Refused(HttpStatusCode.MethodNotAllowed, "invalid_request");
        Assert.Contains(allowed, answer.Response.Content.Headers.Allow);
    }

    [Fact]
    public async Task Every_answer_forbids_sniffing_and_hides_the_server()
    {
        var answer = await Server.GetAsync("/oauth/jwks");
        Assert.Equal("nosniff", answer.Response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.False(answer.Response.Headers.Contains("Server"));
    }

    [Fact]
    public async Task Survives_a_request_that_is_no_HTTP()
    {
        using var socket = new TcpClient();
        var uri = new Uri(Server.Issuer);
        await socket.ConnectAsync(uri.Host, uri.Port, Cancellation);
        var stream = socket.GetStream();
        await stream.WriteAsync("\0\0\0 garbage\r\n\r\n"u8.ToArray(), Cancellation);
        using var reader = new StreamReader(stream, Encoding.ASCII);
        Assert.StartsWith("HTTP/1.1 400", await reader.ReadLineAsync(Cancellation), StringComparison.Ordinal);
        (await Server.GetAsync("/oauth/jwks")).Succeeded();
    }

    [Fact]
    [Requirement("P-LOG")]
    public void The_log_says_nothing_of_what_did_not_happen_and_writes_times_as_RFC_3339_does()
    {
        var made = Assert.Single(Server.Log.Lines, line => line.Contains("Made signing key", StringComparison.Ordinal));
        Assert.Matches(@"active from \d{4}-\d\d-\d\dT", made);
        Assert.DoesNotContain(Server.Log.Lines, line => line.Contains("trust", StringComparison.Ordinal));
    }

    [Fact]
    [Requirement("P-LOG")]
    public async Task Logs_name_clients_and_never_hold_a_token_an_assertion_or_a_key()
    {
        var client = await Server.OnboardAsync();
        var assertion = Server.Assertion(client.Key, client.ClientId).Sign();
        var token = (await Server.PostTokenAsync(assertion)).Succeeded()["access_token"];
        await Server.PostTokenAsync(assertion);
        await Server.GetAsync(client.Path, client.RegistrationAccessToken);
        await Server.GetAsync(client.Path, "wrong" + client.RegistrationAccessToken);
        await Server.RegisterAsync(token, Requests.Metadata(client.Key));

        Assert.Contains(Server.Log.Lines, line => line.Contains(client.ClientId, StringComparison.Ordinal));
        var secrets = new[] { assertion, assertion.Split('.')[2], token, token.Split('.')[2], client.RegistrationAccessToken, client.Key.PrivateJwk()["d"]!.GetValue<string>() };
        Assert.All(secrets, secret => Assert.DoesNotContain(Server.Log.Lines, line => line.Contains(secret, StringComparison.Ordinal)));
    }
}
