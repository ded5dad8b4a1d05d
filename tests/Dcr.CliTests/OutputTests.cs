using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Cli;
using Spectre.Console;
using Xunit;

namespace Dcr.CliTests;

/// <summary>What people see of JSON: the same names, and nothing that steers the terminal.</summary>
public sealed class OutputTests
{
    [Theory]
    [InlineData("\u001b[31mred\u001b[0m")]
    [InlineData("two\nlines")]
    [InlineData("a\rb")]
    [InlineData("\u202egnp.exe")]
    [InlineData("\u009b1m")]
    [Requirement("P-CLI-SECRET")]
    public void Text_from_elsewhere_does_not_steer_the_terminal(string text)
    {
        foreach (var written in new[] { Printable.Of(text), Write(Facts.Of(new JsonObject { ["client_name"] = text })), Write(Facts.Table([new JsonObject { ["client_name"] = text }], ["client_name"])) })
        {
            Assert.DoesNotContain(written.Replace("\n", "", StringComparison.Ordinal), char.IsControl);
            Assert.DoesNotContain('\u202e', written);
        }
        var json = new JsonObject { ["client_name"] = text }.ToJsonString(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        Assert.DoesNotContain(Printable.OfJson(json), character => char.IsControl(character) || character == '\u202e');
        Assert.Equal(text, (string?)JsonNode.Parse(Printable.OfJson(json))!["client_name"]);
    }

    [Fact]
    [Requirement("P-CLI")]
    public void Markup_of_the_terminal_library_is_text()
    {
        Assert.Contains("[red]Shop[/]", Write(Facts.Of(new JsonObject { ["client_name"] = "[red]Shop[/]" })), StringComparison.Ordinal);
        Assert.Contains("[bold", Write(Facts.Table([new JsonObject { ["client_name"] = "[bold" }], ["client_name"])), StringComparison.Ordinal);
    }

    [Fact]
    [Requirement("P-CLI")]
    public void Members_of_members_are_named_by_path_and_empty_ones_left_out()
    {
        var written = Write(Facts.Of(new JsonObject
        {
            ["status"] = "active",
            ["origin"] = new JsonObject { ["kid"] = "k1" },
            ["grant_types"] = new JsonArray("a", "b"),
            ["response_types"] = new JsonArray(),
            ["jwks"] = new JsonObject { ["keys"] = new JsonArray(new JsonObject { ["kty"] = "EC", ["kid"] = "k2" }) },
            ["expires_at"] = null,
            ["created_at"] = "2026-11-27T10:20:30.1234567+00:00",
            ["version"] = 3,
        }));
        Assert.Equal(
            "status       active\norigin.kid   k1\ngrant_types  a b\njwks.keys    k2\ncreated_at   2026-11-27 10:20:30Z\nversion      3\n",
            written.Replace("\r", "", StringComparison.Ordinal));
    }

    private static string Write(Spectre.Console.Rendering.IRenderable what)
    {
        var writer = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(writer) });
        console.Profile.Width = 200;
        console.Write(what);
        return writer.ToString();
    }
}
