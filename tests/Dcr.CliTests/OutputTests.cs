using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dcr.Cli;
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
        var (terminal, output) = Terminal();
        terminal.Show(new JsonObject { ["client_name"] = "[red]Shop[/]" });
        terminal.ShowList(new JsonObject { ["items"] = new JsonArray(new JsonObject { ["client_name"] = "[bold" }) }, "client_name");
        Assert.Contains("[red]Shop[/]", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("[bold", output.ToString(), StringComparison.Ordinal);
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

    [Theory]
    [InlineData(80)]
    [InlineData(60)]
    [InlineData(40)]
    [Requirement("P-CLI-TABLES")]
    public void A_table_fits_its_terminal_and_breaks_no_time_status_or_id(int width)
    {
        string[] columns = ["client_id", "status", "metadata.client_name", "?created_at", "?last_used_at", "?origin.onboarding_client"];
        var table = Facts.Table([.. Enumerable.Range(0, 3).Select(number => Client(number))], columns, width);
        string[] lines = [table.Header ?? "", .. table.Lines];
        Assert.All(lines, line => Assert.True((line.Length <= width || line.Split("  ", StringSplitOptions.RemoveEmptyEntries)[^1].Length > width - 22) && line == line.TrimEnd(), $"[{line}]"));
        var words = string.Join('\n', lines);
        foreach (var word in new[] { "c-00000000000000000000001", "suspended", "Warehouse", "harbour" })
        {
            Assert.Contains(word, words, StringComparison.Ordinal);
        }
        Assert.Equal(table.LeftOut.Contains("created_at"), !words.Contains("2026-11-27 18:01:01Z", StringComparison.Ordinal));
    }

    [Fact]
    [Requirement("P-CLI-TABLES")]
    public void A_table_that_cannot_fit_has_its_members_one_below_the_other()
    {
        var table = Facts.Table([Client(1), Client(2)], ["client_id", "status", "created_at", "origin.onboarding_client"], width: 60);
        Assert.Null(table.Header);
        Assert.Empty(table.LeftOut);
        Assert.Equal(
            ["client_id          c-00000000000000000000001", "status             suspended", "created_at         2026-11-27 18:01:01Z", "onboarding_client  partner-directory-of-the-north", "", "client_id          c-00000000000000000000002"],
            table.Lines.Take(6));
    }

    [Fact]
    [Requirement("P-CLI-TABLES")]
    public void A_table_in_a_pipe_has_all_columns_and_no_blanks_at_the_end_of_a_line()
    {
        var table = Facts.Table([Client(1), new JsonObject { ["client_id"] = "short" }], ["client_id", "status", "?metadata.client_name", "?none"]);
        Assert.Empty(table.LeftOut);
        Assert.Equal(["c-00000000000000000000001  suspended  Warehouse of the harbour in the north", "short"], table.Lines);
    }

    private static (Terminal Terminal, StringWriter Output) Terminal()
    {
        var output = new StringWriter();
        var surroundings = new Surroundings
        {
            Output = output,
            Error = output,
            Input = () => TextReader.Null,
            HiddenInput = () => "",
            IsInputTerminal = false,
            IsOutputTerminal = false,
            IsErrorTerminal = false,
            Width = () => 80,
            Folder = ".",
            Variable = _ => null,
        };
        return (new Terminal(json: false, surroundings), output);
    }

    private static JsonObject Client(int number) => new()
    {
        ["client_id"] = $"c-{number:D23}",
        ["status"] = "suspended",
        ["metadata"] = new JsonObject { ["client_name"] = "Warehouse of the harbour in the north" },
        ["created_at"] = $"2026-11-27T18:01:0{number}.1234567+00:00",
        ["last_used_at"] = $"2026-11-27T19:01:0{number}Z",
        ["origin"] = new JsonObject { ["onboarding_client"] = "partner-directory-of-the-north" },
    };

    private static string Write(IReadOnlyList<(string Name, string Value)> facts) => string.Concat(facts.Select(fact => $"{fact.Name}{fact.Value}\n"));

    private static string Write(TextLayout table) => string.Concat(table.Lines.Select(line => line + "\n"));
}
