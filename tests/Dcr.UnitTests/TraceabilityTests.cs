using Xunit;

namespace Dcr;

/// <summary>
/// The requirement tables and the tests agree: what is done is shown, and what is shown is listed as done. Every gap
/// is named at once.
/// </summary>
public sealed class TraceabilityTests
{
    private static readonly string s_root = Repository.Root;

    /// <summary>The tests, and those of the package that others inherit.</summary>
    private static readonly string[] s_testSources = ["tests", Path.Combine("src", "Dcr.Storage.Testing")];

    private static readonly RequirementReading<RequirementRow> s_tables = ReadAll(
        Directory.EnumerateFiles(Path.Combine(s_root, "specs", "requirements"), "*.md"), RequirementTables.ReadTable);

    private static readonly RequirementReading<RequirementClaim> s_tests = ReadAll(
        s_testSources.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(s_root, folder), "*.cs", SearchOption.AllDirectories)).Where(IsSource),
        RequirementTables.ReadClaims);

    [Fact]
    public void Every_row_is_well_formed() => AssertNone(s_tables.Faults);

    [Fact]
    public void Every_claim_is_plain_text() => AssertNone(s_tests.Faults);

    [Fact]
    public void No_id_is_listed_twice() => AssertNone(
        s_tables.Items.GroupBy(row => row.Id)
            .Where(rows => rows.Count() > 1)
            .Select(rows => $"{rows.Key} is listed more than once: {string.Join(", ", rows.Select(row => row.Place))}"));

    [Fact]
    public void Every_id_that_a_test_names_is_listed()
    {
        var listed = s_tables.Items.Select(row => row.Id).ToHashSet();
        AssertNone(s_tests.Items.Where(claim => !listed.Contains(claim.Id)).Select(claim => $"{claim.Place}: no table lists {claim.Id}"));
    }

    [Fact]
    public void Every_requirement_that_is_done_is_shown_by_a_test()
    {
        var shown = s_tests.Items.Select(claim => claim.Id).ToHashSet();
        AssertNone(s_tables.Items.Where(row => row.Status == "done" && !shown.Contains(row.Id)).Select(row => $"{row.Place}: {row.Id} is done, but no test names it"));
    }

    [Fact]
    public void No_test_shows_a_requirement_that_is_not_done()
    {
        var open = s_tables.Items.Where(row => row.Status != "done").ToLookup(row => row.Id);
        AssertNone(s_tests.Items.SelectMany(claim => open[claim.Id], (claim, row) => $"{claim.Place}: shows {row.Id}, which {row.Place} lists as {row.Status}"));
    }

    [Fact]
    public void Every_requirement_that_is_declined_is_explained()
    {
        var divergences = File.ReadAllText(Path.Combine(s_root, "specs", "divergences.md"));
        AssertNone(s_tables.Items
            .Where(row => row.Status == "declined" && !divergences.Contains($"`{row.Id}`", StringComparison.Ordinal))
            .Select(row => $"{row.Place}: {row.Id} is declined, but divergences.md does not name it"));
    }

    private static void AssertNone(IEnumerable<string> gaps)
    {
        var found = gaps.ToList();
        if (found.Count > 0)
        {
            Assert.Fail($"{found.Count} gap(s):{Environment.NewLine}{string.Join(Environment.NewLine, found)}");
        }
    }

    private static RequirementReading<T> ReadAll<T>(IEnumerable<string> files, Func<string, string, RequirementReading<T>> read)
    {
        var readings = files.Order(StringComparer.Ordinal)
            .Select(file => read(Path.GetRelativePath(s_root, file).Replace('\\', '/'), File.ReadAllText(file)))
            .ToList();
        return new RequirementReading<T>([.. readings.SelectMany(reading => reading.Items)], [.. readings.SelectMany(reading => reading.Faults)]);
    }

    private static bool IsSource(string file) =>
        !Path.GetRelativePath(s_root, file).Split(Path.DirectorySeparatorChar).Any(folder => folder is "bin" or "obj");
}
