using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>What the server does to many clients, and goes on with whether or not somebody looks.</summary>
internal static class Operation
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(500);

    /// <summary>Looks until it is done.</summary>
    /// <returns>The operation as it then is.</returns>
    public static async Task<JsonObject> FinishAsync(CommandRun run, AdminApi api, JsonObject operation, string title, CancellationToken cancellationToken)
    {
        if (IsDone(operation))
        {
            return operation;
        }
        var id = (string)operation["operation"]!;
        try
        {
            return await run.Terminal.ProgressAsync(title, progress => LookAsync(run, api, id, operation, progress, cancellationToken));
        }
        catch (Exception exception)
        {
            var report = FailureReport.Of(exception, cancellationToken);
            throw new CommandFailure(report.ExitCode, $"{report.Message} The server goes on with the operation {id}.", $"Look again: dcr admin operation show {id} --wait") { Error = report.Error };
        }
    }

    private static async Task<JsonObject> LookAsync(CommandRun run, AdminApi api, string id, JsonObject operation, IProgress<double> progress, CancellationToken cancellationToken)
    {
        while (!IsDone(operation))
        {
            progress.Report(Share(operation));
            await Task.Delay(s_pause, run.Time, cancellationToken);
            operation = await api.GetAsync($"operations/{AdminApi.Part(id)}", cancellationToken);
        }
        return operation;
    }

    private static bool IsDone(JsonObject operation) => (bool?)operation["done"] ?? false;

    private static double Share(JsonObject operation)
    {
        var changed = (double?)operation["revoked"] ?? (double?)operation["suspended"] ?? 0;
        return (double?)operation["matched"] is > 0 and var matched ? changed / matched : 1;
    }
}
