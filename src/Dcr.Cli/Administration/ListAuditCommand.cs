using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary><c>dcr admin audit</c>.</summary>
internal static class ListAuditCommand
{
    // Beyond these the names have to do; --json has it all.
    private const int LongestValue = 40;
    private const int MostValues = 3;

    // So much of what two values share goes before their difference.
    private const int Shared = 8;

    private static readonly Option<string?> s_subject = new("--subject")
    {
        Description = "Only what was done to this: a client_id, a key set, an operation, or the kid of a signing key",
        HelpName = "id",
    };

    public static Command Create() => new LeafCommand(
        "audit",
        "Show who did what to whom, newest first",
        new Example("dcr admin audit", "the last 50 records"),
        new Example(
            "dcr admin audit --subject warehouse-7 --all --json | jq -r '.items[] | \"\\(.at) \\(.actor) \\(.action)\"'",
            "the life of one client"))
        .With(s_subject)
        .WithLimit()
        .DoesAsAdministrator((run, api, cancellationToken) =>
        {
            var query = new Dictionary<string, string>();
            if (run.Get(s_subject) is { } subject)
            {
                query["subject"] = subject.Length > 0 ? subject : throw CommandFailure.Usage("--subject is empty.");
            }
            return Listing.ShowAsync(
                run, api, "audit", query, ["at", "action", "subject", "?actor", "changes"], cancellationToken, ForPeople);
        });

    private static JsonObject ForPeople(JsonObject record)
    {
        var shown = record.DeepClone().AsObject();
        shown["actor"] ??= "(the server)";
        var changes = record["changes"] as JsonObject ?? [];
        shown["changes"] = string.Join(
            ", ", changes.Select(change => changes.Count > MostValues ? change.Key : $"{change.Key}: {Change(change.Value)}"));
        return shown;
    }

    private static string Change(JsonNode? change)
    {
        var (before, after) = (Text(change?["before"]), Text(change?["after"]));
        // Where both are cut it is where they begin to differ.
        var same = before.Length > LongestValue && after.Length > LongestValue
            ? before.Zip(after).TakeWhile(pair => pair.First == pair.Second).Count()
            : 0;
        return $"{Cut(before, same)} -> {Cut(after, same)}";
    }

    private static string Text(JsonNode? value) => Facts.TextOf(value) is { Length: > 0 } text ? text : "none";

    private static string Cut(string text, int same)
    {
        var start = Math.Max(0, Math.Min(same - Shared, text.Length - LongestValue));
        return (start > 0 ? "..." : "") + (
            text.Length - start > LongestValue ? text[start..(start + LongestValue)] + "..." : text[start..]);
    }
}
