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

    // As wide as the longest name of somebody who takes part, and the usual paths.
    private const int Who = 13;
    private const int Method = 6;
    private const int Path = 34;
    private const int Indent = 2;

    // Longer lines of text are hard to read, on a wide terminal and in a file.
    private const int MostReadable = 100;

    private readonly List<NarratedStep> _steps = [];
    private volatile NarratedStep? _current;
    private volatile string _who = "";

    public int Requests => _steps.Sum(step => step.Requests.Count);

    /// <summary>Every step so far went to its end, and everything was as promised.</summary>
    public bool IsOk => _steps.All(step => step.IsOk);

    /// <summary>For <see cref="Connection.Through"/>.</summary>
    public HttpMessageHandler Through(HttpMessageHandler network)
    {
        var told = terminal switch
        {
            { IsJson: false } when isVerbose => new NarratedRequests(terminal.Out, network, LongestBody),
            { IsJson: false } => new BriefRequests(network, request => Show(_who, request)),
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
            foreach (var line in TextTable.Wrapped(why, Math.Min(terminal.Width, MostReadable)))
            {
                terminal.Out.MarkupLineInterpolated($"[grey]{line}[/]");
            }
        }
        await happensAsync();
        step.IsOk = true;
    }

    /// <summary>Who does what, before it is done.</summary>
    /// <param name="who">Sends the requests that follow.</param>
    /// <param name="text">A sentence or two.</param>
    public void Now(string who, string text)
    {
        _who = who;
        if (!terminal.IsJson)
        {
            terminal.Out.WriteLine();
            WriteText("", text);
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
            WriteText("ok", fact);
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
        var keys = published.Keys.Keys.Count;
        if (!terminal.IsJson)
        {
            Show("server", new BriefRequest("GET", published.Url, "200", $"-> {keys} public {(keys == 1 ? "key" : "keys")}"));
        }
    }

    public CommandFailure Broken(string what) => new(
        ExitCode.Unhealthy,
        $"Not as promised, in \"{_current?.Title}\": {what}",
        "Look at the server's log and its settings (dcr quickstart counts on the defaults), and report it if they do not explain it.");

    public JsonArray ToJson() => [.. _steps.Select(step => step.ToJson())];

    private void Note(HttpRequestMessage request, int? status) => _current?.Requests.Enqueue(
        new JsonObject { ["method"] = request.Method.Method, ["url"] = request.RequestUri!.ToString(), ["status"] = status });

    private void Show(string who, BriefRequest request)
    {
        var (caller, method, path) = (who.PadRight(Who), request.Method.PadRight(Method), Printable.Of(request.Path).PadRight(Path));
        terminal.Out.MarkupLineInterpolated(
            $"{"",Indent}[blue]{caller}[/] [bold]{method}[/] {path} {request.Status} [grey]{Printable.Of(request.Members)}[/]");
    }

    private void WriteText(string mark, string text)
    {
        var indent = Indent + (mark.Length == 0 ? 0 : mark.Length + 1);
        var lines = TextTable.Wrapped(Printable.Of(text), Math.Min(terminal.Width, MostReadable) - indent);
        terminal.Out.MarkupLineInterpolated($"{new string(' ', Indent)}[green]{mark}[/]{(mark.Length == 0 ? "" : " ")}{lines[0]}");
        foreach (var line in lines.Skip(1))
        {
            terminal.Out.WriteLine(new string(' ', indent) + line);
        }
    }
}
