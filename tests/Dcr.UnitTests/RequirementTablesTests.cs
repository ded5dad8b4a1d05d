using Xunit;

namespace Dcr;

public sealed class RequirementTablesTests
{
    // Not written in one piece: TraceabilityTests reads this file too.
    private const string Attribute = "Requirement";

    private const string Table = """
        # A standard

        | id | level | binds | requirement | status | note |
        |---|---|---|---|---|---|
        | R1-2.1-01 | M | AS, C | Sent as `a\|b` | planned | a feature |
        """;

    [Fact]
    public void Reads_a_row()
    {
        var reading = RequirementTables.ReadTable("a.md", Table);

        Assert.Empty(reading.Faults);
        Assert.Equal(new RequirementRow("a.md:5", "R1-2.1-01", "M", "AS, C", "Sent as `a|b`", "planned", "a feature"), Assert.Single(reading.Items));
    }

    [Theory]
    [InlineData("| planned |", "| maybe |", "status is 'maybe'")]
    [InlineData("| planned |", "|", "this one 5")]
    [InlineData("| M |", "| MUST |", "level is 'MUST'")]
    [InlineData("AS, C", "AS and C", "binds is 'AS and C'")]
    [InlineData("R1-2.1-01", "R1 2.1", "'R1 2.1' is no id")]
    [InlineData("a feature", "", "planned needs a note")]
    [InlineData("| requirement |", "| text |", "must start with | id |")]
    public void Names_what_is_wrong_with_a_row(string good, string bad, string fault)
    {
        var reading = RequirementTables.ReadTable("a.md", Table.Replace(good, bad, StringComparison.Ordinal));

        Assert.Contains(reading.Faults, found => found.StartsWith("a.md:", StringComparison.Ordinal) && found.Contains(fault, StringComparison.Ordinal));
    }

    [Fact]
    public void Names_a_file_without_requirements() =>
        Assert.Equal(["a.md: no requirement in it."], RequirementTables.ReadTable("a.md", "# A standard\n").Faults);

    [Fact]
    public void Reads_the_ids_that_tests_name()
    {
        var reading = RequirementTables.ReadClaims("a.cs", $"""
            [{Attribute}("R1-1-01", "R1-1-02")]
            public sealed class SomeTests
            {"{"}
                [Fact, {Attribute}(
                    "P-X")]
                // [{Attribute}("R1-1-03")]
                public void Rejects() {"{"} {"}"}
            {"}"}
            """);

        Assert.Empty(reading.Faults);
        Assert.Equal(
            [new RequirementClaim("a.cs:1", "R1-1-01"), new RequirementClaim("a.cs:1", "R1-1-02"), new RequirementClaim("a.cs:4", "P-X")],
            reading.Items);
    }

    [Theory]
    [InlineData("Ids.One")]
    [InlineData("\"R1-1-01\", Ids.Two")]
    [InlineData("")]
    public void Names_an_id_that_is_no_plain_text(string arguments) =>
        Assert.Single(RequirementTables.ReadClaims("a.cs", $"[{Attribute}({arguments})]").Faults);
}
