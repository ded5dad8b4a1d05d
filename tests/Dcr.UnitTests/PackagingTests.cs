using System.Xml.Linq;
using Xunit;

namespace Dcr.UnitTests;

/// <summary>The packages that are made of this repository.</summary>
public sealed class PackagingTests
{
    private static readonly IReadOnlyDictionary<string, XDocument> s_projects = Directory
        .EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories)
        .ToDictionary(file => Path.GetFileNameWithoutExtension(file), XDocument.Load);

    private static string? Property(string project, string name) => s_projects[project].Descendants(name).FirstOrDefault()?.Value;

    [Fact]
    public void A_package_needs_only_what_is_a_package_too()
    {
        // A tool carries all it needs within.
        var packages = s_projects.Keys.Where(project => Property(project, "IsPackable") == "true" && Property(project, "PackAsTool") != "true").ToList();
        Assert.Contains("Dcr.Jose", packages);
        Assert.All(packages, project => Assert.All(
            s_projects[project].Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value)),
            needed => Assert.Contains(needed, packages)));
    }

    [Fact]
    public void The_base_library_needs_nothing_but_the_base_library()
    {
        Assert.Empty(s_projects["Dcr.Jose"].Descendants("PackageReference"));
        Assert.Empty(s_projects["Dcr.Jose"].Descendants("ProjectReference"));
        Assert.Empty(s_projects["Dcr.Jose"].Descendants("FrameworkReference"));
        Assert.Equal("true", Property("Dcr.Jose", "IsAotCompatible"));
    }
}
