using System.Net;
using System.Runtime.ExceptionServices;
using System.Text.Json.Nodes;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>
/// One change for each of several clients. Nothing is done where one of them does not exist: that is a typo, or a word that was meant
/// otherwise. Where the change is refused for one that exists, it is still made for the others.
/// </summary>
internal static class EachClient
{
    private const int LongestId = 2048;

    /// <summary>Refuses a list of ids of which one is no client.</summary>
    /// <param name="api">The server.</param>
    /// <param name="ids">As the user typed them.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async Task CheckAsync(AdminApi api, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        foreach (var id in ids)
        {
            if (id.Length > LongestId || id.Any(character => char.IsWhiteSpace(character) || char.IsControl(character)))
            {
                throw CommandFailure.Usage($"'{Excerpt.Of(id)}' is no client_id. Nothing was done.");
            }
            _ = AdminApi.Part(id);
        }
        if (ids.Count == 1)
        {
            // The change itself tells.
            return;
        }
        var unknown = new List<string>();
        foreach (var id in ids.Distinct())
        {
            try
            {
                await api.GetAsync($"clients/{AdminApi.Part(id)}", cancellationToken);
            }
            catch (DcrException refusal) when (refusal.StatusCode == HttpStatusCode.NotFound)
            {
                unknown.Add(id);
            }
        }
        if (unknown.Count > 0)
        {
            throw new CommandFailure(
                ExitCode.Refused,
                $"Nothing was done: the server knows no client {Excerpt.List(unknown)}.",
                "Look for it: dcr admin clients find TEXT")
            {
                Error = "not_found",
            };
        }
    }

    /// <param name="run">The command.</param>
    /// <param name="api">The server.</param>
    /// <param name="ids">The clients; <see cref="CheckAsync"/> has looked at them.</param>
    /// <param name="action">The last part of the path, and the word for people.</param>
    /// <param name="cancellationToken">Stops between clients.</param>
    public static async Task PostAsync(
        CommandRun run, AdminApi api, IReadOnlyList<string> ids, string action, CancellationToken cancellationToken)
    {
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
            catch (DcrException refusal) when (
                refusal is { StatusCode: < HttpStatusCode.InternalServerError, Error: not ("invalid_client" or "invalid_scope") })
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

    private static void Show(
        CommandRun run,
        JsonArray done,
        List<(string Id, DcrException Refusal)> refusals,
        int all,
        string action,
        CancellationToken cancellationToken)
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
            run.Terminal.ShowList(new JsonObject { ["items"] = done }, "client_id", "status", "?metadata.client_name");
        }
        if (all > 1 && done.Count < all)
        {
            run.Terminal.Note($"{action}: {done.Count} of {all} done.");
        }
    }

    private static Exception Failure(List<(string Id, DcrException Refusal)> refusals, int all, string action) => all == 1
        ? refusals[0].Refusal
        : new CommandFailure(
            ExitCode.Refused,
            $"{action}: refused for {refusals.Count} of {all}: "
                + $"{string.Join(' ', refusals.Select(refused => refused.Id))}")
        { Error = refusals[0].Refusal.Error };
}
