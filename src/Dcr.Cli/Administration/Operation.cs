using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>What the server does to many clients, and goes on with whether or not somebody looks.</summary>
internal static class Operation
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Looks until it is done.</summary>
    /// <returns>The operation as it then is.</returns>
    public static async Task<JsonObject> FinishAsync(
        CommandRun run, AdminApi api, JsonObject operation, string title, CancellationToken cancellationToken)
    {
        if (IsDone(operation))
        {
            return operation;
        }
        var id = (string)operation["operation"]!;
        try
        {
            return await run.Terminal.ProgressAsync(title, progress => WaitAsync(api, operation, progress, run.Time, cancellationToken));
        }
        catch (Exception exception)
        {
            var report = FailureReport.Of(exception, cancellationToken);
            throw new CommandFailure(
                report.ExitCode,
                $"{report.Message} The server goes on with the operation {id}.",
                $"Look again: dcr admin operation show {id} --wait")
            { Error = report.Error };
        }
    }

    /// <summary>The same without a word to the user.</summary>
    /// <param name="progress">From 0 to 1. Null: nobody looks.</param>
    public static async Task<JsonObject> WaitAsync(
        AdminApi api, JsonObject operation, IProgress<double>? progress, TimeProvider time, CancellationToken cancellationToken)
    {
        while (!IsDone(operation))
        {
            progress?.Report(Share(operation));
            await Task.Delay(s_pause, time, cancellationToken);
            operation = await api.GetAsync($"operations/{AdminApi.Part((string)operation["operation"]!)}", cancellationToken);
        }
        return operation;
    }

    private static bool IsDone(JsonObject operation) => (bool?)operation["done"] ?? false;

    private static double Share(JsonObject operation)
    {
        var changed = (double?)operation["revoked"] ?? (double?)operation["suspended"] ?? (double?)operation["resumed"] ?? 0;
        return (double?)operation["matched"] is > 0 and var matched ? changed / matched : 1;
    }
}
