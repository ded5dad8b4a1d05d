using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Dcr.Cli;

/// <summary>
/// Where a command shows what it has done: for people, with colours only on a terminal; with <c>--json</c> one JSON
/// document. Failures and all that is not the result go to standard error.
/// </summary>
internal sealed class Terminal(bool json, Surroundings surroundings)
{
    // Lines are broken here, between words, or not at all: what is copied from a terminal is whole.
    private const int NoWidth = 100_000;

    // Some that are none say zero.
    private const int NarrowestTerminal = 20;

    // Quotes and letters as they are: it is read by people and JSON parsers, not put into HTML.
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public bool IsJson => json;

    public IAnsiConsole Out => field ??= Create(surroundings.Output, surroundings.IsOutputTerminal);

    public IAnsiConsole Error => field ??= Create(surroundings.Error, surroundings.IsErrorTerminal);

    /// <summary>The result of a command: its members one below the other.</summary>
    public void Show(JsonObject result)
    {
        if (json)
        {
            WriteJson(result);
        }
        else
        {
            WriteFacts(Out, result);
        }
    }

    /// <summary>The result of a command that is a list.</summary>
    /// <param name="page">As the server gives it: <c>items</c> and perhaps <c>next</c>.</param>
    /// <param name="columns">The members that people see, by path: <c>metadata.client_name</c>.</param>
    public void ShowList(JsonObject page, params IReadOnlyList<string> columns)
    {
        if (json)
        {
            WriteJson(page);
            return;
        }
        ShowTable(page["items"]?.AsArray() ?? [], columns);
    }

    /// <summary>The result of a command that has a list within: the other members, then a table.</summary>
    /// <param name="member">The list.</param>
    /// <param name="columns">As those of <see cref="ShowList"/>.</param>
    public void ShowWithList(JsonObject result, string member, params IReadOnlyList<string> columns)
    {
        if (json)
        {
            WriteJson(result);
            return;
        }
        WriteFacts(
            Out,
            new JsonObject(
                result.Where(other => other.Key != member).Select(other => KeyValuePair.Create(other.Key, other.Value?.DeepClone()))));
        Out.WriteLine();
        ShowTable(result[member]?.AsArray() ?? [], columns);
    }

    /// <summary>
    /// The result of a command that is a list of any length: shown page by page, and with <c>--json</c> as one document all the same.
    /// </summary>
    /// <param name="pages">As the server gives them: <c>items</c> and <c>next</c>.</param>
    /// <param name="columns">As those of <see cref="ShowList"/>.</param>
    /// <param name="forPeople">An item as people read it. Null: as it is.</param>
    /// <returns>The <c>next</c> of the last page. Null: there is no more.</returns>
    public async Task<string?> ShowPagesAsync(
        IAsyncEnumerable<JsonObject> pages, IReadOnlyList<string> columns, Func<JsonObject, JsonObject>? forPeople = null)
    {
        string? next = null;
        var isFirst = true;
        await using var document = json ? new JsonListWriter(surroundings.Output, s_json) : null;
        await foreach (var page in pages)
        {
            var items = page["items"]?.AsArray() ?? [];
            next = (string?)page["next"];
            if (document is not null)
            {
                await document.AddAsync(items);
            }
            else if (isFirst || items.Count > 0)
            {
                ShowTable(forPeople is null ? items : [.. items.OfType<JsonObject>().Select(forPeople)], columns, isFirst);
            }
            isFirst = false;
        }
        if (document is not null)
        {
            await document.EndAsync(next);
        }
        return next;
    }

    /// <summary>A list for people.</summary>
    /// <param name="columns">As those of <see cref="ShowList"/>; a question mark in front says that the column may be left out.</param>
    /// <param name="isFirst">False: it goes on from one before.</param>
    public void ShowTable(JsonArray items, IReadOnlyList<string> columns, bool isFirst = true)
    {
        if (items.Count == 0)
        {
            Out.MarkupLine("[grey]none[/]");
            return;
        }
        var table = Facts.Table(items, columns, Width);
        if (isFirst && table.Header is { } header)
        {
            Out.MarkupLineInterpolated($"[grey]{header}[/]");
        }
        else if (!isFirst && table.Header is null)
        {
            Out.WriteLine();
        }
        foreach (var line in table.Lines)
        {
            Out.WriteLine(line);
        }
        if (isFirst && table.LeftOut.Count > 0)
        {
            Note($"Not shown, for want of room: {string.Join(", ", table.LeftOut)}. A wider terminal or --json has them.");
        }
    }

    /// <summary>How many characters fit into a line of standard output.</summary>
    public int Width => surroundings.IsOutputTerminal ? Math.Max(surroundings.Width(), NarrowestTerminal) : NoWidth;

    /// <summary>Members of JSON, one below the other.</summary>
    public static void WriteFacts(IAnsiConsole console, JsonObject facts)
    {
        foreach (var (name, value) in Facts.Of(facts))
        {
            console.MarkupLineInterpolated($"[grey]{name}[/]{value}");
        }
    }

    /// <summary>The secret that was asked for on standard output, so that a shell can take it; the facts beside it.</summary>
    public void ShowSecret(string member, string secret, JsonObject facts)
    {
        // A secret is shown as it is, or not at all. A private key in PEM has lines.
        if (secret.Split('\n').Any(line => Printable.Of(line.TrimEnd('\r')) != line.TrimEnd('\r')))
        {
            throw new CommandFailure(ExitCode.Unreachable, $"The {member} has characters that would steer the terminal, and is not shown.");
        }
        if (json)
        {
            facts[member] = secret;
            WriteJson(facts);
            return;
        }
        WriteFacts(Error, facts);
        surroundings.Output.WriteLine(secret);
    }

    /// <summary>Text that is itself the result, such as a JWK Set.</summary>
    public void Write(string text) => surroundings.Output.WriteLine(text);

    /// <summary>Beside the result: what was done on the way, what to do next. Not with <c>--json</c>.</summary>
    public void Note(string text)
    {
        if (!json)
        {
            Error.MarkupLineInterpolated($"[grey]{Printable.Of(text)}[/]");
        }
    }

    /// <summary>Something is not right, and the command goes on.</summary>
    public void Warn(string text) => Error.MarkupLineInterpolated($"[yellow]warning:[/] {Printable.Of(text)}");

    public void ShowFailure(FailureReport report)
    {
        if (json)
        {
            surroundings.Error.WriteLine(Printable.OfJson(report.ToJson().ToJsonString(s_json)));
            return;
        }
        foreach (var line in report.Trace)
        {
            surroundings.Error.WriteLine(Printable.Of(line.TrimEnd('\r')));
        }
        Error.MarkupLineInterpolated($"[red]error:[/] {Printable.Of(report.Lines[0])}");
        foreach (var line in report.Lines.Skip(1))
        {
            Error.MarkupLineInterpolated($"       {Printable.Of(line)}");
        }
        if (report.Next is { } next)
        {
            Error.MarkupLineInterpolated($"[grey]next:[/]  {Printable.Of(next)}");
        }
    }

    /// <param name="question">Ends with a question mark.</param>
    /// <param name="otherwise">How to answer it where nobody can be asked.</param>
    public bool Ask(string question, string otherwise) => surroundings.IsInteractive
        ? AskLine($"{question} [y/n] (n):")?.Trim() is "y" or "Y" or "yes"
        : throw CommandFailure.Usage($"{question} There is nobody to ask.", otherwise);

    /// <summary>Typed without being shown. Null: nobody can be asked.</summary>
    public string? AskPassword(string prompt)
    {
        if (!surroundings.IsInteractive)
        {
            return null;
        }
        surroundings.Error.Write($"{Printable.Of(prompt)} ");
        var typed = surroundings.HiddenInput();
        surroundings.Error.WriteLine();
        return typed;
    }

    /// <summary>One line. Null: nothing more is typed.</summary>
    /// <param name="question">With what an empty answer means.</param>
    /// <param name="otherwise">How to answer it where nobody can be asked.</param>
    public string? AskText(string question, string otherwise) => surroundings.IsInteractive
        ? AskLine(question)
        : throw CommandFailure.Usage($"{question} There is nobody to ask.", otherwise);

    private string? AskLine(string prompt)
    {
        surroundings.Error.Write($"{Printable.Of(prompt)} ");
        surroundings.Error.Flush();
        return surroundings.Input().ReadLine();
    }

    /// <summary>A bar on standard error while long work goes on; nothing where that is no terminal.</summary>
    /// <param name="title">What is being done.</param>
    /// <param name="work">Is handed what to report its progress to, from 0 to 1.</param>
    public async Task<T> ProgressAsync<T>(string title, Func<IProgress<double>, Task<T>> work)
    {
        if (json || !surroundings.IsErrorTerminal)
        {
            return await work(NoProgress.Instance);
        }
        Error.Profile.Width = Math.Max(surroundings.Width(), NarrowestTerminal);
        try
        {
            return await WithBarAsync(title, work);
        }
        finally
        {
            Error.Profile.Width = NoWidth;
        }
    }

    private Task<T> WithBarAsync<T>(string title, Func<IProgress<double>, Task<T>> work) =>
        Error.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(bars => work(new Bar(bars.AddTask(Markup.Escape(title), maxValue: 1))));

    public void WriteJson(JsonNode value) => surroundings.Output.WriteLine(Printable.OfJson(value.ToJsonString(s_json)));

    private static IAnsiConsole Create(TextWriter writer, bool isTerminal)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = isTerminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        });
        console.Profile.Width = NoWidth;
        return console;
    }

    private sealed class Bar(ProgressTask task) : IProgress<double>
    {
        public void Report(double value) => task.Value = value;
    }

    private sealed class NoProgress : IProgress<double>
    {
        public static readonly NoProgress Instance = new();

        public void Report(double value)
        {
            // Nobody looks.
        }
    }
}
