namespace Dcr.Cli;

/// <param name="Name">As the header says it.</param>
/// <param name="IsOptional">Left out where the table would otherwise be too wide.</param>
internal sealed record TextColumn(string Name, bool IsOptional = false);

/// <summary>
/// A table in plain text that fits a terminal. No word is broken: an id, a time or a status can be copied as it stands. Where there is
/// too little room, optional columns are left out, the last first; then texts go on in a second line; and where that is not enough,
/// each row is a block of its own, one member below the other.
/// </summary>
internal static class TextTable
{
    private const int Gap = 2;

    // A column of text that is narrower is harder to read than none.
    private const int NarrowestText = 16;

    /// <summary>The lines of the table, none of them with blanks at its end.</summary>
    /// <param name="columns">At least one.</param>
    /// <param name="rows">The cells, in one line each.</param>
    /// <param name="width">Of the terminal, in characters.</param>
    public static TextLayout Of(IReadOnlyList<TextColumn> columns, IReadOnlyList<IReadOnlyList<string>> rows, int width)
    {
        var shown = Enumerable.Range(0, columns.Count).ToList();
        while (Narrowest(columns, rows, shown) > width && shown.FindLastIndex(index => columns[index].IsOptional) is >= 0 and var last)
        {
            shown.RemoveAt(last);
        }
        List<string> leftOut = [.. columns.Where((_, index) => !shown.Contains(index)).Select(column => column.Name)];
        return Narrowest(columns, rows, shown) > width
            // Nothing need be left out of blocks.
            ? new TextLayout(Header: null, [.. rows.SelectMany((row, index) => Block(columns, row, width, isFirst: index == 0))], [])
            : Grid(columns, rows, shown, width) with { LeftOut = leftOut };
    }

    private static TextLayout Grid(IReadOnlyList<TextColumn> columns, IReadOnlyList<IReadOnlyList<string>> rows, List<int> shown, int width)
    {
        var widths = shown.Select(index => Widest(columns, rows, index)).ToArray();
        for (var tooMuch = Total(widths) - width; tooMuch > 0;)
        {
            // The widest text gives way first.
            var room = shown.Select((index, at) => widths[at] - Narrowest(columns, rows, index)).ToArray();
            var at = Array.IndexOf(room, room.Max());
            var given = Math.Min(tooMuch, room[at]);
            widths[at] -= given;
            tooMuch -= given;
        }
        return new TextLayout(
            Line(shown.Select(index => columns[index].Name), widths),
            [.. rows.SelectMany(row => Lines([.. shown.Select((index, at) => Wrapped(row[index], widths[at]))], widths))],
            []);
    }

    private static IEnumerable<string> Lines(IReadOnlyList<IReadOnlyList<string>> cells, IReadOnlyList<int> widths) =>
        Enumerable.Range(0, cells.Max(cell => cell.Count)).Select(
            line => Line(cells.Select(cell => line < cell.Count ? cell[line] : ""), widths));

    private static string Line(IEnumerable<string> cells, IReadOnlyList<int> widths) =>
        string.Concat(cells.Select((cell, at) => cell.PadRight(widths[at] + Gap))).TrimEnd();

    private static IEnumerable<string> Block(IReadOnlyList<TextColumn> columns, IReadOnlyList<string> row, int width, bool isFirst)
    {
        if (!isFirst)
        {
            yield return "";
        }
        var names = columns.Max(column => column.Name.Length);
        for (var index = 0; index < columns.Count; index++)
        {
            if (row[index].Length > 0)
            {
                var lines = Wrapped(row[index], Math.Max(width - names - Gap, NarrowestText));
                yield return columns[index].Name.PadRight(names + Gap) + lines[0];
                foreach (var line in lines.Skip(1))
                {
                    yield return new string(' ', names + Gap) + line;
                }
            }
        }
    }

    /// <summary>Lines of so many characters, broken between words only.</summary>
    public static IReadOnlyList<string> Wrapped(string text, int width)
    {
        if (text.Length <= width || IsTime(text))
        {
            return [text];
        }
        var lines = new List<string>();
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                lines.Add(line);
                line = word;
            }
            else
            {
                line = line.Length == 0 ? word : $"{line} {word}";
            }
        }
        return [.. lines, line];
    }

    private static int Narrowest(IReadOnlyList<TextColumn> columns, IReadOnlyList<IReadOnlyList<string>> rows, List<int> shown) =>
        Total([.. shown.Select(index => Narrowest(columns, rows, index))]);

    // As wide as its longest word; a text that has several is given some more.
    private static int Narrowest(IReadOnlyList<TextColumn> columns, IReadOnlyList<IReadOnlyList<string>> rows, int index)
    {
        var word = Math.Max(
            columns[index].Name.Length,
            rows.Max(row => IsTime(row[index]) ? row[index].Length : row[index].Split(' ').Max(word => word.Length)));
        return Math.Min(Widest(columns, rows, index), Math.Max(word, NarrowestText));
    }

    private static int Widest(IReadOnlyList<TextColumn> columns, IReadOnlyList<IReadOnlyList<string>> rows, int index) =>
        Math.Max(columns[index].Name.Length, rows.Max(row => row[index].Length));

    private static int Total(int[] widths) => widths.Sum() + (Gap * (widths.Length - 1));

    // 2026-11-27 18:01:02Z has a blank and is one word all the same.
    private static bool IsTime(string text) => text.Length == 20 && text[10] == ' ' && text[^1] == 'Z' && char.IsAsciiDigit(text[0]);
}

/// <param name="Header">Null: the names of members stand in the lines.</param>
/// <param name="Lines">As they are written.</param>
/// <param name="LeftOut">Columns that there was no room for.</param>
internal sealed record TextLayout(string? Header, IReadOnlyList<string> Lines, IReadOnlyList<string> LeftOut);
