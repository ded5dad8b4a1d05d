using System.Text.Json.Nodes;
using Dcr.Client;
using Spectre.Console;

namespace Dcr.Cli;

/// <summary>
/// A run that is told while it happens: steps, in each of them who does what, every request with its answer, and what
/// that has shown. What is shown is checked: what is not as promised ends the run.
/// </summary>
internal sealed class Narration(Terminal terminal, bool isVerbose)
{
    // Answers are shown as far as they help: not every member of the server's metadata.
    private const int LongestBody = 480;

    private readonly List<NarratedStep> _steps = [];
    private volatile NarratedStep? _current;

    public int Requests => _steps.Sum(step => step.Requests.Count);

    /// <summary>Every step so far went to its end, and everything was as promised.</summary>
    public bool IsOk => _steps.All(step => step.IsOk);

    /// <summary>For <see cref="Connection.Through"/>.</summary>
    public HttpMessageHandler Through(HttpMessageHandler network)
    {
        var told = terminal switch
        {
            { IsJson: false } => new NarratedRequests(terminal.Out, network, LongestBody),
            _ when isVerbose => new NarratedRequests(terminal.Error, network),
            _ => network,
        };
        return new NotedRequests(told, Note);
    }

    /// <param name="title">What happens.</param>
    /// <param name="why">For somebody who sees it for the first time.</param>
    /// <param name="happensAsync">The step; it is as promised unless it throws.</param>
    public async Task StepAsync(string title, string why, Func<Task> happensAsync)
    {
        var step = new NarratedStep(title);
        _steps.Add(step);
        _current = step;
        if (!terminal.IsJson)
        {
            terminal.Out.MarkupLineInterpolated($"\n[bold]{_steps.Count}. {title}[/]");
            terminal.Out.MarkupLineInterpolated($"[grey]{why}[/]");
        }
        await happensAsync();
        step.IsOk = true;
    }

    /// <summary>Who does what, before it is done.</summary>
    public void Now(string text)
    {
        if (!terminal.IsJson)
        {
            terminal.Out.WriteLine();
            terminal.Out.MarkupLineInterpolated($"  {Printable.Of(text)}");
        }
    }

    /// <summary>What has been shown, if it is so.</summary>
    /// <param name="isSo">Null counts as not so.</param>
    /// <param name="fact">A sentence.</param>
    public void Shown(bool? isSo, string fact)
    {
        if (isSo != true)
        {
            throw Broken($"it should be so that: {fact}");
        }
        _current!.Shown.Enqueue(fact);
        if (!terminal.IsJson)
        {
            terminal.Out.MarkupLineInterpolated($"  [green]ok[/] {Printable.Of(fact)}");
        }
    }

    /// <summary>What has been shown, if the server refuses the request, and for this reason.</summary>
    public async Task ShownByRefusalAsync(Func<Task> requestAsync, Func<DcrException, bool> reason, string fact)
    {
        try
        {
            await requestAsync();
        }
        catch (DcrException refusal) when (reason(refusal))
        {
            Shown(true, fact);
            return;
        }
        throw Broken($"the server did what it should have refused. It should be so that: {fact}");
    }

    /// <summary>The server has come to this machine for a JWK Set.</summary>
    public void Downloaded(PublishedJwks published)
    {
        _current?.Requests.Enqueue(new JsonObject { ["method"] = "GET", ["url"] = published.Url, ["status"] = 200, ["from"] = "server" });
        if (!terminal.IsJson)
        {
            var keys = published.Keys.Keys.Count;
            terminal.Out.MarkupLineInterpolated($"  [yellow]<[/] the server: [bold]GET[/] {published.Url} [grey]answered with {keys} public {(keys == 1 ? "key" : "keys")}[/]");
        }
    }

    public CommandFailure Broken(string what) => new(
        ExitCode.Unhealthy,
        $"Not as promised, in \"{_current?.Title}\": {what}",
        "Look at the server's log and its settings (dcr quickstart counts on the defaults), and report it if they do not explain it.");

    public JsonArray ToJson() => [.. _steps.Select(step => step.ToJson())];

    private void Note(HttpRequestMessage request, int? status) => _current?.Requests.Enqueue(
        new JsonObject { ["method"] = request.Method.Method, ["url"] = request.RequestUri!.ToString(), ["status"] = status });
}
