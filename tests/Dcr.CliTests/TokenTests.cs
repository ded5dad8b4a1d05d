using System.Net;
using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary><c>dcr assert</c> and <c>dcr token</c>: what proves a client is made, and not shown.</summary>
public sealed class TokenTests(CliServer server) : IAsyncLifetime
{
    private readonly DcrTool _tool = new();

    public async ValueTask InitializeAsync() => await _tool.KnowAsync(server, "default", "admin");

    public ValueTask DisposeAsync()
    {
        _tool.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    [Requirement("P-CLI-SECRET")]
    public async Task Shows_what_a_token_is_for_and_not_the_token()
    {
        var shown = await _tool.SucceedAsync("token", "--scope", "read");
        Assert.DoesNotContain("eyJ", shown.Out + shown.Error, StringComparison.Ordinal);
        var token = await _tool.JsonAsync("token", "--scope", "read");
        Assert.Equal("Bearer", (string?)token["token_type"]);
        Assert.Equal("read", (string?)token["scope"]);
        Assert.Null(token["access_token"]);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Gives_the_token_alone_on_standard_output_when_it_is_asked_for()
    {
        var answer = await _tool.SucceedAsync("token", "-p", "admin", "--scope", "dcr.admin", "--show-secret");
        using var request = new HttpRequestMessage(HttpMethod.Get, "admin/v1/clients") { Headers = { Authorization = new("Bearer", answer.Out.Trim()) } };
        Assert.Equal(HttpStatusCode.OK, (await server.Http.SendAsync(request, TestContext.Current.CancellationToken)).StatusCode);
        Assert.Contains("expires_at", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-SECRET")]
    public async Task Writes_a_token_to_a_file_that_only_the_user_can_read()
    {
        await _tool.SucceedAsync("token", "--out", "access.token");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_tool.PathOf("access.token")));
        Assert.StartsWith("eyJ", await File.ReadAllTextAsync(_tool.PathOf("access.token"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Binds_a_token_to_the_key_when_it_is_asked_to() =>
        Assert.Equal("DPoP", (string?)(await _tool.JsonAsync("token", "--dpop"))["token_type"]);

    [Fact]
    [Requirement("P-CLI-EXIT")]
    public async Task Says_what_to_do_when_the_server_refuses()
    {
        var scope = await _tool.RunAsync("token", "--scope", "delete");
        Assert.Equal(ExitCode.Refused, scope.ExitCode);
        Assert.Contains("invalid_scope", scope.Error, StringComparison.Ordinal);

        var client = await _tool.RunAsync("token", "--client-id", "somebody-else", "--json");
        Assert.Equal(ExitCode.Refused, client.ExitCode);
        Assert.Empty(client.Out);
        var failure = JsonNode.Parse(client.Error)!;
        Assert.Equal("invalid_client", (string?)failure["error"]);
        Assert.Contains("dcr doctor", (string?)failure["next"], StringComparison.Ordinal);
        Assert.Equal(ExitCode.Refused, (int?)failure["exit_code"]);
    }

    [Fact]
    [Requirement("P-CLI-EXIT")]
    public async Task Says_that_a_server_is_away()
    {
        var answer = await _tool.RunAsync("token", "--server", $"http://127.0.0.1:{Ports.Free()}");
        Assert.Equal(ExitCode.Unreachable, answer.ExitCode);
        Assert.Contains("cannot be reached", answer.Error, StringComparison.Ordinal);
        Assert.Contains("waiting, try 2 of 3", answer.Error, StringComparison.Ordinal);
        Assert.Contains("waiting, try 3 of 3", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-EXIT")]
    public async Task Says_that_it_waits_for_an_answer()
    {
        var answered = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        var notes = new List<string>();
        using var http = new HttpClient(new WaitingNotes(
            new Answering(() => answered.Task),
            note =>
            {
                notes.Add(note);
                answered.TrySetResult(new HttpResponseMessage(HttpStatusCode.OK));
            },
            tries: 3,
            TimeSpan.FromMilliseconds(1),
            TimeProvider.System));
        using var response = await http.GetAsync(new Uri("https://as.example/oauth/token"), TestContext.Current.CancellationToken);
        Assert.Equal(["as.example does not answer yet: waiting, try 1 of 3"], notes);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Takes_a_server_with_a_slash_at_its_end()
    {
        await _tool.SucceedAsync("token", "--server", server.Issuer + "/", "--scope", "read");
        _tool.Environment["DCR_SERVER"] = server.Issuer + "/";
        await _tool.SucceedAsync("token", "--scope", "read");
        Assert.Equal(server.Issuer, (string?)(await _tool.JsonAsync("profile", "set", "slash", "--server", server.Issuer + "/"))["server"]);
    }

    [Fact]
    [Requirement("P-CLI-EXIT")]
    public async Task Says_which_scope_to_name_where_none_is_given_without_asking()
    {
        var answer = await _tool.RunAsync("token", "-p", "admin");
        Assert.Equal(ExitCode.Refused, answer.ExitCode);
        Assert.Contains("next:  Name one: --scope dcr.admin", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI")]
    public async Task Connects_to_the_node_where_the_issuer_is_that_of_a_proxy()
    {
        await using var node = await OwnServer.StartAsync("--Dcr:Issuer", "https://as.example");
        await _tool.SucceedAsync("profile", "set", "node", "--server", "https://as.example", "--connect-to", node.Address, "--client-id", "admin", "--key", node.AdminKey);
        await _tool.SucceedAsync("admin", "clients", "list", "-p", "node");
        Assert.Equal("accepted", (string?)(await _tool.JsonAsync("doctor", "-p", "node"))["verdict"]);
        await _tool.SucceedAsync("token", "--server", "https://as.example", "--connect-to", node.Address, "--client-id", "admin", "--key", node.AdminKey, "--scope", "dcr.admin");
    }

    [Theory]
    [InlineData("http://10.0.0.1:5080")]
    [InlineData("127.0.0.1:5080")]
    [InlineData("http://127.0.0.1:5080/path")]
    [Requirement("P-CLI-EXIT")]
    public async Task Rejects_an_address_to_which_tokens_would_go_in_clear(string address)
    {
        Assert.Equal(ExitCode.Usage, (await _tool.RunAsync("token", "--connect-to", address)).ExitCode);
        Assert.Equal(ExitCode.Usage, (await _tool.RunAsync("profile", "set", "node", "--connect-to", address)).ExitCode);
    }

    [Theory]
    [InlineData("as.example")]
    [InlineData("http://as.example")]
    [InlineData("https://as.example/?tenant=1")]
    [Requirement("P-CLI-EXIT")]
    public async Task Rejects_a_server_that_is_no_issuer(string issuer) =>
        Assert.Equal(ExitCode.Usage, (await _tool.RunAsync("token", "--server", issuer)).ExitCode);

    [Fact]
    [Requirement("P-CLI")]
    public async Task Signs_an_assertion_that_the_server_takes_once()
    {
        var answer = await _tool.SucceedAsync("assert", "--show-secret");
        var assertion = answer.Out.Trim();
        Assert.Equal(HttpStatusCode.OK, await RequestTokenAsync(assertion));
        Assert.Equal(HttpStatusCode.Unauthorized, await RequestTokenAsync(assertion));
    }

    [Fact]
    [Requirement("P-CLI-SECRET")]
    public async Task Shows_what_an_assertion_says_and_not_the_assertion()
    {
        var shown = await _tool.SucceedAsync("assert");
        Assert.DoesNotContain("eyJ", shown.Out + shown.Error, StringComparison.Ordinal);
        var assertion = await _tool.JsonAsync("assert");
        Assert.Equal("client-authentication+jwt", (string?)assertion["header"]!["typ"]);
        Assert.Equal("warehouse-7", (string?)assertion["claims"]!["iss"]);
        Assert.Equal(server.Issuer, (string?)assertion["claims"]!["aud"]);
    }

    [Fact]
    [Requirement("P-CLI-SECRET")]
    public async Task Shows_requests_and_answers_without_their_secrets()
    {
        var answer = await _tool.SucceedAsync("token", "--verbose", "--json");
        Assert.Contains($"POST {server.Issuer}/oauth/token", answer.Error, StringComparison.Ordinal);
        Assert.Contains("iss=warehouse-7", answer.Error, StringComparison.Ordinal);
        Assert.Contains("access_token=(secret)", answer.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("eyJ", answer.Out + answer.Error, StringComparison.Ordinal);
        _ = answer.Json;
    }

    private async Task<HttpStatusCode> RequestTokenAsync(string assertion)
    {
        using var form = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["grant_type"] = "client_credentials",
            ["client_assertion_type"] = Dcr.Client.ClientAssertion.Type,
            ["client_assertion"] = assertion,
        });
        return (await server.Http.PostAsync(new Uri("oauth/token", UriKind.Relative), form, TestContext.Current.CancellationToken)).StatusCode;
    }

    private sealed class Answering(Func<Task<HttpResponseMessage>> answerAsync) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answerAsync();
    }
}
