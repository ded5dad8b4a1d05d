using System.Net;
using Dcr.Proofs;
using Dcr.ProtocolTests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Dcr.ProtocolTests;

/// <summary>A bug in the server: a generic answer to the caller, the whole of it once in the log.</summary>
public sealed class UnexpectedFaultTests
{
    [Fact]
    [Requirement("P-FAULT")]
    public async Task Gives_500_without_detail_and_logs_it_once()
    {
        await using var server = new SqliteServer { Configure = services => services.AddSingleton<IUsedJtiStore, BrokenStore>() };
        await server.InitializeAsync();
        var answer = await server.PostTokenAsync(server.Assertion(server.OnboardingKey, DcrServer.OnboardingClient).Sign(), "dcr");
        answer.Refused(HttpStatusCode.InternalServerError, "server_error");
        Assert.DoesNotContain("boom", answer.Json.ToJsonString(), StringComparison.Ordinal);
        Assert.Single(server.Log.Lines, line => line.Contains("boom", StringComparison.Ordinal));
    }

    [Fact]
    [Requirement("P-FAULT", "P-CORS")]
    public async Task Is_told_to_the_script_that_asked()
    {
        await using var server = new SqliteServer { Configure = services => services.AddSingleton<IUsedJtiStore, BrokenStore>() };
        server.Settings["Dcr:Cors:Origins"] = "https://app.example";
        await server.InitializeAsync();
        var form = Requests.TokenForm(server.Assertion(server.OnboardingKey, DcrServer.OnboardingClient).Sign(), "dcr");
        var answer = await server.PostTokenAsync(form, ("Origin", "https://app.example"));
        answer.Refused(HttpStatusCode.InternalServerError, "server_error");
        Assert.Equal("https://app.example", Assert.Single(answer.Response.Headers.GetValues("Access-Control-Allow-Origin")));
    }

    private sealed class BrokenStore : IUsedJtiStore
    {
        public Task<RecordJtiOutcome> RecordAsync(string clientId, string jti, DateTimeOffset expiresAt, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("boom");

        public Task<bool> IsUsedAsync(string clientId, string jti, CancellationToken cancellationToken) => throw new InvalidOperationException("boom");
    }
}
