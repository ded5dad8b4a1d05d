using System.CommandLine;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary><c>dcr bench</c>: how many registrations and tokens a second a server gives, and how long each takes.</summary>
internal static class BenchCommand
{
    private const int MaxClients = 100_000;
    private static readonly TimeSpan s_clearingMayTake = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan s_clearingMayTakeWhenStopped = TimeSpan.FromSeconds(10);

    private static readonly Option<int> s_clients = new("--clients")
    {
        Description = "How many clients register",
        DefaultValueFactory = _ => 200,
        HelpName = "n",
    };

    private static readonly Option<int> s_seconds = new("--seconds")
    {
        Description = "How long they ask for tokens then",
        DefaultValueFactory = _ => 5,
        HelpName = "s",
    };

    private static readonly Option<int> s_parallel = new("--parallel")
    {
        Description = "How many requests are under way at once",
        DefaultValueFactory = _ => 8,
        HelpName = "n",
    };

    private static readonly Option<bool> s_keep = new("--keep")
    {
        Description = "Leave the clients and their onboarding client as they are",
    };

    public static Command Create() => new LeafCommand(
        "bench",
        "Measure registrations and token requests per second, and how long they take",
        new Example("dcr bench --clients 20 --seconds 1", "a first impression, of the server of the profile admin"),
        new Example(
            "dcr bench --clients 50 --seconds 1 --parallel 2 --json | jq .token.latency_ms.p99",
            "one figure for a script, in milliseconds"))
        .With(s_clients, s_seconds, s_parallel, s_keep, CommonOptions.Yes)
        .WithCredentials()
        .Does(RunAsync);

    private static async Task<int> RunAsync(CommandRun run, CancellationToken cancellationToken)
    {
        var (clients, seconds, parallel) = (
            InRange(run, s_clients, MaxClients), InRange(run, s_seconds, 3600), InRange(run, s_parallel, 1000));
        using var connection = await Connection.OpenAsync(run, cancellationToken, AdminApi.DefaultProfile);
        var server = await connection.Dcr.DiscoverAsync(cancellationToken);
        if (!new Uri(server.Issuer).IsLoopback)
        {
            run.Confirm(
                $"Put {server.Issuer} under load, and leave {clients} {(run.Get(s_keep) ? "active" : "revoked")} clients in its store?");
        }
        using var admin = await AdminApi.OpenAsync(connection, cancellationToken);
        using var onboarding = new TemporaryOnboardingClient(admin, "bench", run.Time);
        var result = new JsonObject
        {
            ["server"] = server.Issuer,
            ["clients"] = clients,
            ["parallel"] = parallel,
            ["onboarding_client"] = onboarding.ClientId,
        };
        var isHealthy = false;
        try
        {
            await onboarding.LetInAsync("Bench", Policy(clients), cancellationToken);
            isHealthy = await MeasureAsync(run, connection, server, onboarding, clients, seconds, parallel, result, cancellationToken);
        }
        finally
        {
            // Also after Ctrl+C, as far as there is time for it.
            using var time = new CancellationTokenSource(
                cancellationToken.IsCancellationRequested ? s_clearingMayTakeWhenStopped : s_clearingMayTake);
            await ClearAwayAsync(run, onboarding, result, time.Token);
        }
        BenchReport.Show(run.Terminal, result);
        return isHealthy ? ExitCode.Success : ExitCode.Unhealthy;
    }

    /// <returns>Whether every request succeeded.</returns>
    private static async Task<bool> MeasureAsync(
        CommandRun run,
        Connection connection,
        AuthorizationServerMetadata server,
        TemporaryOnboardingClient onboarding,
        int clients,
        int seconds,
        int parallel,
        JsonObject result,
        CancellationToken cancellationToken)
    {
        var initial = await connection.Dcr.GetInitialAccessTokenAsync(onboarding.Credentials, cancellationToken: cancellationToken);
        using var load = await run.Terminal.ProgressAsync(
            $"Making {clients} keys", _ => Task.Run(() => new BenchLoad(server, clients, parallel, run.Time), cancellationToken));

        var registering = new LoadPhase(parallel, (number, cancel) => load.RegisterAsync(number, initial.Value, cancel), run.Time);
        var (warmUp, registrations) = await run.Terminal.ProgressAsync(
            "Registrations", progress => registering.RunCountAsync(clients, progress, cancellationToken));
        result["registration"] = registrations.ToJson(warmUp);
        var registered = load.Clients;
        if (registered.Count == 0)
        {
            return false;
        }

        var asking = new LoadPhase(
            parallel, (number, cancel) => load.GetTokenAsync(registered[number % registered.Count], cancel), run.Time);
        var (tokenWarmUp, tokens) = await run.Terminal.ProgressAsync(
            "Tokens", progress => asking.RunForAsync(TimeSpan.FromSeconds(seconds), progress, cancellationToken));
        result["token"] = tokens.ToJson(tokenWarmUp);
        return warmUp.Failures + registrations.Failures + tokenWarmUp.Failures + tokens.Failures == 0;
    }

    private static async Task ClearAwayAsync(
        CommandRun run, TemporaryOnboardingClient onboarding, JsonObject result, CancellationToken cancellationToken)
    {
        if (!onboarding.MayBeThere)
        {
            return;
        }
        if (run.Get(s_keep))
        {
            run.Terminal.Note($"{onboarding.ClientId} and every client that came by it stay at the server.");
            return;
        }
        try
        {
            await onboarding.DeleteAsync(cancellationToken);
            result["cleared"] = await run.Terminal.ProgressAsync(
                "Clearing away", progress => onboarding.RevokeClientsAsync(progress, cancellationToken));
        }
        catch (Exception exception) when (exception is DcrException or HttpRequestException or OperationCanceledException)
        {
            run.Terminal.Warn($"{onboarding.ClientId}, or clients that came by it, are still at the server: {exception.Message}");
        }
    }

    private static int InRange(CommandRun run, Option<int> option, int max) => run.Get(option) is var value && value >= 1 && value <= max
        ? value
        : throw CommandFailure.Usage($"{option.Name} {value}: it must be from 1 to {max}.");

    private static JsonObject Policy(int clients) => new()
    {
        ["initial_access_token"] = new JsonObject { ["uses"] = clients, ["lifetime_seconds"] = 3600 },
        ["keys"] = "jwks",
        ["scope"] = new JsonObject { ["allowed"] = new JsonArray("read"), ["default"] = new JsonArray("read") },
    };
}
