using System.Text.Json.Nodes;
using Dcr.Cli;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary>A server whose every answer tries to steer the terminal of whoever looks at it.</summary>
[Requirement("P-CLI-SECRET")]
public sealed class HostileServerTests : IDisposable
{
    private const string Steering = "\u001b]0;owned\u0007\u009b31m\u202efdp\r\n\u001b[2J";

    private readonly DcrTool _tool = new();
    private readonly LoopbackHost _host = new();

    public void Dispose()
    {
        _host.Dispose();
        _tool.Dispose();
    }

    /// <summary>One document for every path: metadata, token, and whatever an administrator asks for.</summary>
    private void Serve(string accessToken) => _host.Body = new JsonObject
    {
        ["issuer"] = _host.Address,
        ["token_endpoint"] = _host.Address + "/oauth/token",
        ["access_token"] = accessToken,
        ["token_type"] = "Bearer",
        ["expires_in"] = 600,
        ["scope"] = Steering,
        ["error"] = Steering,
        ["error_description"] = Steering,
        ["client_id"] = Steering,
        ["status"] = Steering,
        ["items"] = new JsonArray(new JsonObject { ["client_id"] = Steering, ["status"] = Steering, ["metadata"] = new JsonObject { ["client_name"] = Steering } }),
        ["accepted"] = false,
        ["rule"] = 4,
        ["detail"] = Steering,
        ["told_client"] = Steering,
        ["issuer_said"] = Steering,
        ["keys"] = new JsonArray(new JsonObject { ["kid"] = Steering, ["state"] = Steering, ["last_failure"] = Steering }),
    };

    private async Task<DcrAnswer> RunAsync(params IReadOnlyList<string> arguments)
    {
        var answer = await _tool.RunAsync([.. arguments, "--server", _host.Address, "--client-id", "partner", "--key", "partner.pem"]);
        foreach (var written in new[] { answer.Out, answer.Error })
        {
            Assert.DoesNotContain(written, character => (char.IsControl(character) && character is not '\n') || character == '\u202e');
        }
        return answer;
    }

    [Theory]
    [InlineData("token")]
    [InlineData("token", "--show-secret")]
    [InlineData("token", "--json")]
    [InlineData("token", "--show-secret", "--json")]
    [InlineData("token", "--show-secret", "--verbose")]
    [InlineData("token", "--out", "access.token")]
    public async Task A_token_that_would_steer_the_terminal_is_refused_and_not_shown(params string[] arguments)
    {
        await _tool.NewKeyAsync("partner.pem");
        Serve("eyJ" + Steering);
        var answer = await RunAsync(arguments);
        Assert.Equal(ExitCode.Unreachable, answer.ExitCode);
        Assert.Contains("access_token", answer.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_tool.PathOf("access.token")));
    }

    [Theory]
    [InlineData("token")]
    [InlineData("token", "--show-secret")]
    [InlineData("token", "--json")]
    [InlineData("doctor")]
    [InlineData("doctor", "--json")]
    public async Task What_it_says_is_printed_and_steers_nothing(params string[] arguments)
    {
        await _tool.NewKeyAsync("partner.pem");
        Serve("eyJhbGciOiJFUzI1NiJ9.e30.c2ln");
        Assert.NotEqual(ExitCode.Fault, (await RunAsync(arguments)).ExitCode);
    }

    [Theory]
    [InlineData("admin", "clients", "list")]
    [InlineData("admin", "clients", "list", "--json")]
    [InlineData("admin", "clients", "show", "x")]
    [InlineData("admin", "clients", "show", "x", "--json")]
    [InlineData("admin", "clients", "show", "x", "--verbose")]
    [InlineData("admin", "clients", "keys", "list", "x")]
    public async Task An_administrator_is_shown_nothing_that_steers(params string[] arguments)
    {
        await _tool.NewKeyAsync("partner.pem");
        Serve("eyJhbGciOiJFUzI1NiJ9.e30.c2ln");
        await _tool.SucceedAsync("profile", "set", "admin", "--server", _host.Address, "--client-id", "partner", "--key", "partner.pem");
        var answer = await _tool.RunAsync(arguments);
        foreach (var written in new[] { answer.Out, answer.Error })
        {
            Assert.DoesNotContain(written, character => (char.IsControl(character) && character is not '\n') || character == '\u202e');
        }
        Assert.NotEqual(ExitCode.Fault, answer.ExitCode);
    }
}
