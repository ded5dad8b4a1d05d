using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary>JSON as people read it: the same names, without the braces.</summary>
internal static class Facts
{
    private const char Optional = '?';

    /// <summary>One member below the other; members of members by path.</summary>
    /// <returns>Names, as wide as the widest of them, and values.</returns>
    public static IReadOnlyList<(string Name, string Value)> Of(JsonObject json)
    {
        var lines = Flatten(json, "").ToList();
        var width = lines.Max(line => line.Name.Length as int?) ?? 0;
        return [.. lines.Select(line => (Printable.Of(line.Name).PadRight(width + 2), Printable.Of(line.Value)))];
    }

    /// <summary>One row an item.</summary>
    /// <param name="items">At least one.</param>
    /// <param name="columns">Members by path; a question mark in front says that the column may be left out.</param>
    /// <param name="width">Of the terminal, in characters.</param>
    public static TextLayout Table(JsonArray items, IReadOnlyList<string> columns, int width = int.MaxValue) => TextTable.Of(
        [.. columns.Select(column => new TextColumn(NameOf(column), column[0] == Optional))],
        [.. items.Select(item => columns.Select(column => Printable.Of(TextOf(At(item, column.TrimStart(Optional))))).ToList())],
        width);

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
    private static string NameOf(string column) => column[(column.LastIndexOfAny(['.', Optional]) + 1)..];

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
        text.Length >= 20
            && text[4] == '-'
            && text[10] == 'T'
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var time)
            ? time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            : text;
}
