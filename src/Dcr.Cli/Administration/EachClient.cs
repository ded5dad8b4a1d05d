using System.Net;
using System.Runtime.ExceptionServices;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>One change for each of several clients: where it is refused for one, it is still made for the others.</summary>
internal static class EachClient
{
    /// <param name="run">The command.</param>
    /// <param name="api">The server.</param>
    /// <param name="ids">The clients.</param>
    /// <param name="action">The last part of the path, and the word for people.</param>
    /// <param name="cancellationToken">Stops between clients.</param>
    public static async Task PostAsync(CommandRun run, AdminApi api, IReadOnlyList<string> ids, string action, CancellationToken cancellationToken)
    {
        // What is no id is found before anything is done.
        List<(string Id, string Path)> clients = [.. ids.Distinct().Select(id => (id, $"clients/{AdminApi.Part(id)}/{action}"))];
        var items = new JsonArray();
        var refusals = new List<(string Id, DcrException Refusal)>();
        Exception? end = null;
        foreach (var (id, path) in clients)
        {
            try
            {
                items.Add(await api.PostAsync(path, body: null, cancellationToken));
            }
            catch (DcrException refusal) when (refusal is { StatusCode: < HttpStatusCode.InternalServerError, Error: not ("invalid_client" or "invalid_scope") })
            {
                refusals.Add((id, refusal));
            }
            catch (Exception exception)
            {
                // The next would fare no better; but what was done is told first.
                end = exception;
                break;
            }
        }
        Show(run, items, refusals, clients.Count, action, cancellationToken);
        if (end is not null)
        {
            ExceptionDispatchInfo.Throw(end);
        }
        if (refusals.Count > 0)
        {
            throw Failure(refusals, clients.Count, action);
        }
    }

    private static void Show(CommandRun run, JsonArray done, List<(string Id, DcrException Refusal)> refusals, int all, string action, CancellationToken cancellationToken)
    {
        if (all > 1)
        {
            foreach (var (id, refusal) in refusals)
            {
                var report = FailureReport.Of(refusal, cancellationToken);
                if (run.Terminal.IsJson)
                {
                    done.Add(new JsonObject { ["client_id"] = id, ["failure"] = report.ToJson() });
                }
                else
                {
                    run.Terminal.Warn($"{id}: {report.Message}");
                }
            }
        }
        if (done.Count > 0)
        {
            run.Terminal.ShowList(new JsonObject { ["items"] = done }, "client_id", "status", "metadata.client_name");
        }
        if (all > 1 && done.Count < all)
        {
            run.Terminal.Note($"{action}: {done.Count} of {all} done.");
        }
    }

    private static Exception Failure(List<(string Id, DcrException Refusal)> refusals, int all, string action) => all == 1
        ? refusals[0].Refusal
        : new CommandFailure(ExitCode.Refused, $"{action}: refused for {refusals.Count} of {all}: {string.Join(' ', refusals.Select(refused => refused.Id))}") { Error = refusals[0].Refusal.Error };
}
