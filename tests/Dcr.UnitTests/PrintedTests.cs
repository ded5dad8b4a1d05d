using System.Reflection;
using System.Text.RegularExpressions;
using Dcr.Protocol;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Dcr.UnitTests;

/// <summary>Every text of the log is printed through one place.</summary>
public sealed class PrintedTests
{
    [Theory]
    [Requirement("P-LOG")]
    [InlineData("client-1 (a \"quoted\" one)", "client-1 (a \"quoted\" one)")]
    [InlineData("a\r\nfail: b\u001b[31m", "a\\u000d\\u000afail: b\\u001b[31m")]
    [InlineData("\u202e\u00e9\u0085", "\\u202e\\u00e9\\u0085")]
    [InlineData(null, "(none)")]
    public void Shows_printable_ASCII_and_the_rest_as_codes(string? text, string shown) => Assert.Equal(shown, new Printed(text).ToString());

    [Fact]
    [Requirement("P-LOG")]
    public void Ends_where_a_line_should()
    {
        Assert.InRange(new Printed(new string('x', 100_000)).ToString().Length, 1000, 1100);
        Assert.InRange(new Printed(new string('\n', 100_000)).ToString().Length, 1000, 1100);
    }

    [Fact]
    [Requirement("P-LOG")]
    public void No_log_message_takes_a_text_as_it_is()
    {
        var raw = typeof(Printed).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public | BindingFlags.DeclaredOnly))
            .Where(method => method.GetCustomAttribute<LoggerMessageAttribute>() is not null)
            .Where(method => method.GetParameters().Any(parameter => parameter.ParameterType == typeof(string) || parameter.ParameterType == typeof(Uri) || parameter.ParameterType == typeof(object)))
            .Select(method => $"{method.DeclaringType}.{method.Name}")
            .ToList();
        Assert.True(raw.Count == 0, $"Take their text as Printed: {string.Join(", ", raw)}");
        Assert.Contains(typeof(Printed).Assembly.GetTypes(), type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.NonPublic).Any(method => method.GetCustomAttribute<LoggerMessageAttribute>() is not null));
    }

    [Fact]
    [Requirement("P-LOG")]
    public void Every_log_message_has_an_id_of_its_own()
    {
        var messages = Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal))
            .SelectMany(file => Regex.Matches(File.ReadAllText(file), @"\[LoggerMessage\(\s*(?:EventId = (\d+))?"))
            .Select(match => match.Groups[1].Value)
            .ToList();
        Assert.DoesNotContain("", messages);
        Assert.Equal(messages.Distinct().Count(), messages.Count);
        Assert.NotEmpty(messages);
    }
}
