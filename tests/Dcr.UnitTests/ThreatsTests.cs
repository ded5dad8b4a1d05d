using System.Text.RegularExpressions;
using Xunit;

namespace Dcr.UnitTests;

/// <summary>Each threat names tests that exist.</summary>
public sealed partial class ThreatsTests
{
    [Fact]
    public void Every_threat_names_tests_that_exist()
    {
        var classes = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetFileNameWithoutExtension(file)).ToHashSet();
        var rows = File.ReadLines(Path.Combine(Repository.Root, "specs", "threats.md")).Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1).ToList();
        Assert.NotEmpty(rows);
        Assert.All(rows, row =>
        {
            var named = ClassName().Matches(row.Split('|')[^2]).Select(match => match.Groups[1].Value).ToList();
            Assert.NotEmpty(named);
            Assert.All(named, name => Assert.Contains(name, classes));
        });
    }

    [GeneratedRegex("`(\\w+)`")]
    private static partial Regex ClassName();
}
