using System.Text.RegularExpressions;
using ArchUnitNET.Domain;
using ArchUnitNET.Loader;
using ArchUnitNET.xUnitV3;
using MediatR;
using Microsoft.AspNetCore.Http;
using Xunit;
using static ArchUnitNET.Fluent.ArchRuleDefinition;

namespace Dcr.UnitTests;

/// <summary>
/// The arrows of <c>src</c> run one way: a folder of <c>Dcr</c> uses only those before it, a driver stays in its store, and a handler
/// knows neither the web nor another handler. What is listed here is the map that <c>specs/README.md</c> draws.
/// </summary>
public sealed partial class ArchitectureTests
{
    /// <summary>The folders of <c>src/Dcr</c>, each of which uses only those before it.</summary>
    private static readonly string[] s_folders =
    [
        "Protocol", "Auditing", "SigningKeys", "Keys", "Clients", "Proofs", "ClientAuthentication", "TokenStatus", "AccessTokens",
        "Registration", "Bulk", "Onboarding", "Administration", "Discovery",
    ];

    private static readonly string s_sources = Path.Combine(Repository.Root, "src");

    private static readonly Architecture s_dcr = new ArchLoader()
        .LoadAssemblies(typeof(DcrSetup).Assembly, typeof(IMediator).Assembly, typeof(HttpContext).Assembly)
        .Build();

    private static readonly IObjectProvider<IType> s_handlers = Classes().That().ImplementInterface(typeof(IRequestHandler<,>));

    public static TheoryData<string> Folders => [.. s_folders];

    [Fact]
    public void Every_folder_has_its_place_in_the_order() =>
        Assert.Equal(s_folders.Order(), Directory.EnumerateDirectories(Path.Combine(s_sources, "Dcr")).Select(Path.GetFileName).Except(["bin", "obj"]).Order());

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_folder_uses_only_those_before_it(string folder)
    {
        foreach (var later in After(folder))
        {
            Types().That().ResideInNamespaceMatching(Namespace(folder))
                .Should().NotDependOnAny(Types().That().ResideInNamespaceMatching(Namespace(later)))
                .WithoutRequiringPositiveResults().Check(s_dcr);
        }
    }

    // A constant leaves no trace in the compiled code, but in the source.
    [Theory]
    [MemberData(nameof(Folders))]
    public void A_folder_names_only_those_before_it(string folder)
    {
        var later = After(folder).Select(name => $"Dcr.{name}").ToHashSet();
        var named = Sources(Path.Combine("Dcr", folder)).SelectMany(file => Usings().Matches(File.ReadAllText(file))
            .Where(match => later.Contains(match.Groups[1].Value))
            .Select(match => $"{Path.GetRelativePath(s_sources, file)}: {match.Value}"));
        Assert.Empty(named);
    }

    [Fact]
    public void Every_folder_has_the_namespace_of_its_name()
    {
        var others = s_folders.SelectMany(folder => Sources(Path.Combine("Dcr", folder))
            .Where(file => !File.ReadLines(file).Contains($"namespace {NamespaceOf(file)};")));
        Assert.Empty(others);
    }

    [Theory]
    [InlineData("Microsoft.Data.Sqlite", "Dcr.Storage.Sqlite")]
    [InlineData("MongoDB", "Dcr.Storage.MongoDb")]
    public void A_driver_stays_in_its_store(string driver, string store)
    {
        var strangers = Directory.EnumerateDirectories(s_sources).Where(project => Path.GetFileName(project) != store)
            .SelectMany(project => Sources(Path.GetFileName(project)))
            .Where(file => File.ReadAllText(file).Contains($"using {driver}", StringComparison.Ordinal));
        Assert.Empty(strangers);
    }

    [Fact]
    public void A_handler_sends_to_no_other() =>
        Classes().That().Are(s_handlers).Should().NotDependOnAny(typeof(IMediator)).Check(s_dcr);

    [Fact]
    public void Only_a_route_sends() =>
        Classes().That().DependOnAny(typeof(IMediator))
            .And().DoNotHaveNameEndingWith("Route").And().DoNotHaveNameEndingWith("Feature").And().DoNotHaveNameContaining("<")
            .Should().HaveName("UseCases").Check(s_dcr);

    [Fact]
    public void A_handler_knows_no_request_of_the_web() =>
        Classes().That().Are(s_handlers).Should().NotDependOnAny(typeof(HttpContext), typeof(HttpRequest), typeof(HttpResponse)).Check(s_dcr);

    [Fact]
    public void A_store_is_asked_in_words_of_the_protocol_alone() =>
        Interfaces().That().HaveNameEndingWith("Store")
            .Should().NotDependOnAny(Types().That().ResideInNamespaceMatching("^(MediatR|Microsoft\\.AspNetCore)"))
            .WithoutRequiringPositiveResults().Check(s_dcr);

    [Fact]
    public void No_line_is_longer_than_140_characters()
    {
        var longer = Sources("").SelectMany(file => File.ReadLines(file)
            .Select((line, index) => (Line: line, Number: index + 1))
            .Where(line => line.Line.Length > 140)
            .Select(line => $"{Path.GetRelativePath(s_sources, file)}:{line.Number}"));
        Assert.Empty(longer);
    }

    private static IEnumerable<string> After(string folder) => s_folders.SkipWhile(name => name != folder).Skip(1);

    private static string Namespace(string folder) => $"^Dcr\\.{folder}(\\.|$)";

    private static string NamespaceOf(string file) => Path.GetRelativePath(s_sources, Path.GetDirectoryName(file)!).Replace(Path.DirectorySeparatorChar, '.');

    private static IEnumerable<string> Sources(string below) => Directory
        .EnumerateFiles(Path.Combine(s_sources, below), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    [GeneratedRegex("^using (Dcr\\.\\w+)", RegexOptions.Multiline)]
    private static partial Regex Usings();
}
