using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Dcr.Cli;

/// <summary>JSON as people read it: the same names, without the braces.</summary>
internal static class Facts
{
    // What people copy out of a table: the first of these is not broken into lines, where there is room.
    private static readonly HashSet<string> s_copied = new(StringComparer.Ordinal) { "client_id", "id", "kid", "thumbprint", "subject" };

    /// <summary>One member below the other; members of members by path.</summary>
    public static IRenderable Of(JsonObject json)
    {
        var lines = Flatten(json, "").ToList();
        var width = lines.Max(line => line.Name.Length as int?) ?? 0;
        var text = new Paragraph();
        foreach (var (name, value) in lines)
        {
            text.Append(Printable.Of(name).PadRight(width + 2), new Style(Color.Grey)).Append(Printable.Of(value) + "\n");
        }
        return text;
    }

    /// <summary>One row an item.</summary>
    /// <param name="width">Of the terminal, in characters.</param>
    /// <param name="withHeaders">False: the table goes on from one before.</param>
    public static IRenderable Table(JsonArray items, IReadOnlyList<string> columns, int width = int.MaxValue, bool withHeaders = true)
    {
        if (items.Count == 0)
        {
            return new Markup("[grey]none[/]\n");
        }
        var whole = columns.FirstOrDefault(column => s_copied.Contains(NameOf(column)) && items.Max(item => TextOf(At(item, column)).Length) <= width / 2);
        var table = new Table { Border = TableBorder.None, ShowHeaders = withHeaders };
        foreach (var column in columns)
        {
            table.AddColumn(new TableColumn(new Text(NameOf(column), new Style(Color.Grey))) { NoWrap = column == whole }.PadRight(2));
        }
        foreach (var item in items)
        {
            table.AddRow(columns.Select(column => new Text(Printable.Of(TextOf(At(item, column))))));
        }
        return table;
    }

    /// <summary>A value on one line.</summary>
    public static string TextOf(JsonNode? value) => value switch
    {
        null => "",
        JsonArray array => string.Join(' ', array.Select(TextOf)),
        // A key is known by its name.
        JsonObject json => json["kid"] is JsonValue kid ? kid.ToString() : json.ToJsonString(),
        _ when value.GetValueKind() == JsonValueKind.String => ShortTime(value.GetValue<string>()),
        _ => value.ToJsonString(),
    };

    private static IEnumerable<(string Name, string Value)> Flatten(JsonObject json, string path)
    {
        foreach (var (name, value) in json)
        {
            if (value is JsonObject nested && nested.Count > 0)
            {
                foreach (var inner in Flatten(nested, $"{path}{name}."))
                {
                    yield return inner;
                }
            }
            else if (TextOf(value) is { Length: > 0 } text)
            {
                yield return (path + name, text);
            }
        }
    }

    // The last name of a path says enough.
    private static string NameOf(string column) => column[(column.LastIndexOf('.') + 1)..];

    private static JsonNode? At(JsonNode? item, string path)
    {
        foreach (var name in path.Split('.'))
        {
            item = (item as JsonObject)?[name];
        }
        return item;
    }

    // Nobody wants seven digits of a second.
    private static string ShortTime(string text) =>
        text.Length >= 20 && text[4] == '-' && text[10] == 'T' && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time)
            ? time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            : text;
}
