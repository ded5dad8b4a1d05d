using System.Text.RegularExpressions;
using Xunit;

namespace Dcr.UnitTests;

/// <summary>Each threat names checks and tests that exist.</summary>
public sealed partial class ThreatsTests
{
    [Fact]
    public void Every_threat_names_tests_that_exist()
    {
        // The contract of the stores is a package, so that others can inherit it.
        string[] folders = ["tests", Path.Combine("src", "Dcr.Storage.Testing")];
        var classes = folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Select(file => Path.GetFileNameWithoutExtension(file)).ToHashSet();
        var rows = Rows();
        Assert.NotEmpty(rows);
        Assert.All(rows, row =>
        {
            var named = ClassName().Matches(row.Split('|')[^2]).Select(match => match.Groups[1].Value).ToList();
            Assert.NotEmpty(named);
            Assert.All(named, name => Assert.Contains(name, classes));
        });
    }

    /// <summary>A place is a source file below src, without its ending and the start of its path, also with a member; or a folder, with a slash at its end.</summary>
    [Fact]
    public void Every_threat_names_places_that_exist()
    {
        var sources = Path.Combine(Repository.Root, "src");
        var files = Directory.EnumerateFiles(sources, "*.cs", SearchOption.AllDirectories)
            .Select(file => "/" + Path.GetRelativePath(sources, file).Replace('\\', '/')).Where(file => !file.Contains("/obj/", StringComparison.Ordinal)).ToList();
        var missing = Rows().SelectMany(row => Place().Matches(row.Split('|')[^3]).Select(match => match.Groups[1].Value))
            .Where(place => !files.Any(file => (place.EndsWith('/') && file.Contains($"/{place}", StringComparison.Ordinal))
                || file.EndsWith($"/{place}.cs", StringComparison.Ordinal)
                || file.EndsWith($"/{place[..Math.Max(0, place.LastIndexOf('.'))]}.cs", StringComparison.Ordinal)))
            .Distinct();
        Assert.Empty(missing);
    }

    private static List<string> Rows() =>
        [.. File.ReadLines(Path.Combine(Repository.Root, "specs", "threats.md")).Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1)];

    [GeneratedRegex("`(\\w+)`")]
    private static partial Regex ClassName();

    [GeneratedRegex("`([\\w./]+)`")]
    private static partial Regex Place();
}
