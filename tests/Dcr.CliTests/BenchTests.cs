using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dcr.Cli;
using Dcr.Client;
using Dcr.CliTests.Support;
using Xunit;

namespace Dcr.CliTests;

/// <summary><c>dcr bench</c>: figures that can be believed, and a server that is as it was.</summary>
public sealed partial class BenchTests(CliServer server)
{
    private readonly AdminRequests _admin = server.Admin;

    [Fact]
    [Requirement("P-CLI-BENCH")]
    public async Task Shows_both_phases_and_clears_away()
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var answer = await tool.SucceedAsync("bench", "--clients", "20", "--seconds", "1");
        Assert.Matches(@"phase +requests +failures +per_second +p50 +p90 +p99 +p99_9 +max", answer.Out);
        Assert.Matches(@"registration +18 +0 +\d", answer.Out);
        Assert.Matches(@"token +\d+ +0 +\d", answer.Out);
        var onboardingClient = OnboardingClient().Match(answer.Error).Value;
        Assert.DoesNotContain(onboardingClient, await _admin.OnboardingClientsAsync("bench-"));
        Assert.Equal((0, 20), (await _admin.CountAsync(onboardingClient, "active"), await _admin.CountAsync(onboardingClient, "revoked")));
    }

    [Fact]
    [Requirement("P-CLI-BENCH")]
    public async Task Gives_figures_that_add_up()
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var document = await tool.JsonAsync("bench", "--clients", "20", "--seconds", "1", "--parallel", "4");
        var (registration, token) = (document["registration"]!, document["token"]!);
        Assert.Equal(20, (int)registration["requests"]! + (int)registration["warm_up"]!["requests"]!);
        Assert.Equal(2, (int)registration["warm_up"]!["requests"]!);
        Assert.InRange((double)token["seconds"]!, 1, 10);
        Assert.NotEqual(0, (double)token["signing"]!["ms_per_request"]!);
        Assert.All([registration, token], AssertAddsUp);
        Assert.Equal((20, true), ((int)document["cleared"]!["revoked"]!, (bool)document["cleared"]!["done"]!));
    }

    [Fact]
    [Requirement("P-CLI-BENCH")]
    public async Task Keeps_the_clients_where_that_is_wanted()
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var document = await tool.JsonAsync("bench", "--clients", "5", "--seconds", "1", "--keep");
        var onboardingClient = (string)document["onboarding_client"]!;
        Assert.Contains(onboardingClient, await _admin.OnboardingClientsAsync("bench-"));
        Assert.Equal(5, await _admin.CountAsync(onboardingClient, "active"));
        Assert.Null(document["cleared"]);
    }

    [Theory]
    [InlineData("--clients", "0")]
    [InlineData("--seconds", "9999")]
    [InlineData("--parallel", "-1")]
    [Requirement("P-CLI-BENCH")]
    [Requirement("P-CLI-EXIT")]
    public async Task Rejects_a_load_that_is_none_or_without_end(string option, string value)
    {
        using var tool = await new DcrTool().KnowAsync(server, "admin");
        var answer = await tool.RunAsync("bench", option, value);
        Assert.Equal(ExitCode.Usage, answer.ExitCode);
        Assert.Contains($"{option} {value}: it must be from 1 to", answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI-BENCH")]
    [Requirement("P-CLI-EXIT")]
    public async Task Rejects_somebody_who_is_no_admin()
    {
        using var tool = await new DcrTool().KnowAsync(server, "directory");
        Assert.Equal(ExitCode.Refused, (await tool.RunAsync("bench", "-p", "directory", "--clients", "1", "--seconds", "1")).ExitCode);
    }

    [Theory]
    [InlineData(1, 1, 1, 1, 1, 1)]
    [InlineData(10, 5, 9, 10, 10, 10)]
    [InlineData(1000, 500, 900, 990, 999, 1000)]
    [Requirement("P-CLI-BENCH")]
    public void A_percentile_is_the_smallest_time_that_so_many_are_not_above(int count, double p50, double p90, double p99, double p999, double max)
    {
        // The same times whatever order they come in.
        var times = Enumerable.Range(1, count).Reverse().Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds));
        Assert.Equal(new LatencyFigures(p50, p90, p99, p999, max), LatencyFigures.Of(times));
    }

    [Fact]
    [Requirement("P-CLI-BENCH")]
    public void There_is_no_percentile_of_nothing() => Assert.Null(LatencyFigures.Of([]));

    [Fact]
    [Requirement("P-CLI-BENCH")]
    public void Failures_are_counted_by_answer_and_are_in_neither_rate_nor_latency()
    {
        LoadSample[] samples =
        [
            new(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(1), null),
            new(TimeSpan.FromMilliseconds(900), TimeSpan.FromMilliseconds(1), "503 temporarily_unavailable"),
            new(TimeSpan.FromMilliseconds(900), TimeSpan.FromMilliseconds(1), "503 temporarily_unavailable"),
            new(TimeSpan.FromMilliseconds(900), TimeSpan.FromMilliseconds(1), "401 invalid_client"),
        ];
        var figures = new LoadFigures(samples, TimeSpan.FromSeconds(2), Parallel: 2).ToJson(new LoadFigures([], TimeSpan.FromSeconds(1), Parallel: 2));
        Assert.Equal((4, 3), ((int)figures["requests"]!, (int)figures["failures"]!));
        Assert.Equal(0.5, (double)figures["per_second"]!);
        Assert.Equal(10, (double)figures["latency_ms"]!["max"]!);
        Assert.Equal(0.001, (double)figures["signing"]!["share_of_time"]!);
        Assert.Equal("""{"503 temporarily_unavailable":2,"401 invalid_client":1}""", figures["failures_by_answer"]!.ToJsonString());
    }

    [Fact]
    [Requirement("P-CLI-BENCH")]
    public async Task A_failure_is_named_by_its_answer_or_why_there_was_none()
    {
        var nowhere = new Uri($"http://127.0.0.1:{Ports.Free()}/oauth/token");
        var here = new Uri($"{server.Issuer}/oauth/token");
        Assert.Equal("401 invalid_client", (await AskAsStrangerAsync(here)).Failure);
        Assert.Equal("no answer: ConnectionError", (await AskAsStrangerAsync(nowhere)).Failure);
    }

    private async Task<LoadSample> AskAsStrangerAsync(Uri tokenEndpoint)
    {
        using var load = new BenchLoad(new AuthorizationServerMetadata { Issuer = server.Issuer, TokenEndpoint = tokenEndpoint }, clients: 1, parallel: 1, TimeProvider.System);
        using var key = ClientKey.Generate();
        return await load.GetTokenAsync(new ClientCredentials("nobody", key), TestContext.Current.CancellationToken);
    }

    private static void AssertAddsUp(JsonNode figures)
    {
        var requests = (int)figures["requests"]!;
        Assert.InRange(requests, 1, int.MaxValue);
        Assert.Equal(0, (int)figures["failures"]!);
        Assert.Empty(figures["failures_by_answer"]!.AsObject());
        Assert.Equal(requests / (double)figures["seconds"]!, (double)figures["per_second"]!, 0.02 * (double)figures["per_second"]!);
        double[] latencies = [.. new[] { "p50", "p90", "p99", "p99_9", "max" }.Select(name => (double)figures["latency_ms"]![name]!)];
        Assert.Equal(latencies.Order(), latencies);
        Assert.InRange(latencies[0], 0.01, 30_000);
    }

    [GeneratedRegex("bench-[0-9a-f]{6}")]
    private static partial Regex OnboardingClient();
}
