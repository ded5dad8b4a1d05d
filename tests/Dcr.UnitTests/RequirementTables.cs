using System.Text.RegularExpressions;

namespace Dcr;

/// <summary>One row of a table in specs/requirements/; the place is its file and line.</summary>
public sealed record RequirementRow(string Place, string Id, string Level, string Binds, string Text, string Status, string Note);

/// <summary>An id that a test names in a <c>[Requirement]</c> attribute; the place is its file and line.</summary>
public sealed record RequirementClaim(string Place, string Id);

/// <summary>What was read, and every line that could not be.</summary>
public sealed record RequirementReading<T>(IReadOnlyList<T> Items, IReadOnlyList<string> Faults);

/// <summary>Reads the requirement tables and what the tests claim of them, both as text: no project need be loaded.</summary>
public static partial class RequirementTables
{
    private const int Columns = 6;

    private static readonly string[] s_header = ["id", "level", "binds", "requirement", "status", "note"];
    private static readonly string[] s_levels = ["M", "S", "O"];
    private static readonly string[] s_parties = ["AS", "C", "RS"];
    private static readonly string[] s_statuses = ["done", "planned", "client", "declined"];

    public static RequirementReading<RequirementRow> ReadTable(string file, string markdown)
    {
        var rows = new List<RequirementRow>();
        var faults = new List<string>();
        var inTable = false;
        foreach (var (number, line) in Lines(markdown).Where(line => line.Text.StartsWith('|')))
        {
            var place = $"{file}:{number}";
            var cells = Cells(line);
            if (cells.SequenceEqual(s_header))
            {
                inTable = true;
            }
            else if (!inTable)
            {
                faults.Add($"{place}: a table must start with | {string.Join(" | ", s_header)} |");
            }
            else if (!cells.All(cell => Rule().IsMatch(cell)))
            {
                faults.AddRange(RowFaults(cells).Select(fault => $"{place}: {fault}"));
                if (cells.Count == Columns)
                {
                    rows.Add(new RequirementRow(place, cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]));
                }
            }
        }
        if (rows.Count == 0)
        {
            faults.Add($"{file}: no requirement in it.");
        }
        return new RequirementReading<RequirementRow>(rows, faults);
    }

    public static RequirementReading<RequirementClaim> ReadClaims(string file, string code)
    {
        var claims = new List<RequirementClaim>();
        var faults = new List<string>();
        foreach (Match use in Use().Matches(code).Where(use => !IsComment(code, use.Index)))
        {
            var place = $"{file}:{code.AsSpan(0, use.Index).Count('\n') + 1}";
            var arguments = use.Groups["ids"].Value;
            var ids = Literal().Matches(arguments).Select(literal => literal.Groups["id"].Value).ToList();
            claims.AddRange(ids.Select(id => new RequirementClaim(place, id)));
            // What is left beside the literals and their commas could be an id that is not seen here.
            if (ids.Count == 0 || Literal().Replace(arguments, "").Any(rest => rest != ',' && !char.IsWhiteSpace(rest)))
            {
                faults.Add($"{place}: [Requirement] takes plain string literals, at least one.");
            }
        }
        return new RequirementReading<RequirementClaim>(claims, faults);
    }

    private static IEnumerable<string> RowFaults(List<string> cells)
    {
        if (cells.Count != Columns)
        {
            yield return $"a row has {Columns} cells, this one {cells.Count}.";
            yield break;
        }
        if (!Id().IsMatch(cells[0]))
        {
            yield return $"'{cells[0]}' is no id.";
        }
        if (!s_levels.Contains(cells[1]))
        {
            yield return $"{cells[0]}: level is '{cells[1]}', not one of {string.Join(' ', s_levels)}.";
        }
        if (!cells[2].Split(", ").All(s_parties.Contains))
        {
            yield return $"{cells[0]}: binds is '{cells[2]}', not some of {string.Join(' ', s_parties)} with commas.";
        }
        if (cells[3].Length == 0)
        {
            yield return $"{cells[0]}: the requirement is empty.";
        }
        if (!s_statuses.Contains(cells[4]))
        {
            yield return $"{cells[0]}: status is '{cells[4]}', not one of {string.Join(' ', s_statuses)}.";
        }
        if (cells[4] is "planned" or "declined" && cells[5].Length == 0)
        {
            yield return $"{cells[0]}: {cells[4]} needs a note that says what brings it, or why not.";
        }
    }

    private static IEnumerable<(int Number, string Text)> Lines(string text) =>
        text.Split('\n').Select((line, index) => (index + 1, line.TrimEnd('\r')));

    // A pipe inside a cell is written \|.
    private static List<string> Cells(string line) =>
        [.. Pipe().Split(line.Trim())[1..^1].Select(cell => cell.Trim().Replace(@"\|", "|", StringComparison.Ordinal))];

    private static bool IsComment(string code, int index)
    {
        var start = code.LastIndexOf('\n', index) + 1;
        return code.AsSpan(start, index - start).TrimStart().StartsWith("//", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex Pipe();

    [GeneratedRegex(@"^:?-+:?$")]
    private static partial Regex Rule();

    [GeneratedRegex(@"^[A-Z][A-Za-z0-9]*(-[A-Za-z0-9.]+)+$")]
    private static partial Regex Id();

    // Also as the second attribute of a list: [Fact, Requirement("...")].
    [GeneratedRegex(@"[\[,]\s*Requirement\((?<ids>[^)]*)\)")]
    private static partial Regex Use();

    [GeneratedRegex(@"""(?<id>[^""]*)""")]
    private static partial Regex Literal();
}
