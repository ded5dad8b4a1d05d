using System.CommandLine;
using System.Text.Json.Nodes;

namespace Dcr.Cli;

/// <summary><c>dcr admin audit</c>.</summary>
internal static class ListAuditCommand
{
    // Beyond these the names have to do; --json has it all.
    private const int LongestValue = 40;
    private const int MostValues = 3;

    private static readonly Option<string?> s_subject = new("--subject") { Description = "Only what was done to this: a client_id, a key set, an operation, or the kid of a signing key", HelpName = "id" };

    public static Command Create() => new LeafCommand(
        "audit",
        "Show who did what to whom, newest first",
        new Example("dcr admin audit", "the last 50 records"),
        new Example("dcr admin audit --subject warehouse-7 --all --json | jq -r '.items[] | \"\\(.at) \\(.actor) \\(.action)\"'", "the life of one client"))
        .With(s_subject)
        .WithLimit()
        .DoesAsAdministrator((run, api, cancellationToken) =>
        {
            var query = new Dictionary<string, string>();
            if (run.Get(s_subject) is { } subject)
            {
                query["subject"] = subject.Length > 0 ? subject : throw CommandFailure.Usage("--subject is empty.");
            }
            return Listing.ShowAsync(run, api, "audit", query, ["at", "actor", "action", "subject", "changes"], cancellationToken, ForPeople);
        });

    private static JsonObject ForPeople(JsonObject record)
    {
        var shown = record.DeepClone().AsObject();
        shown["actor"] ??= "(the server)";
        var changes = record["changes"] as JsonObject ?? [];
        shown["changes"] = string.Join(", ", changes.Select(change => changes.Count > MostValues ? change.Key : $"{change.Key}: {Text(change.Value?["before"])} -> {Text(change.Value?["after"])}"));
        return shown;
    }

    private static string Text(JsonNode? value) => Facts.TextOf(value) switch
    {
        "" => "none",
        { Length: > LongestValue } text => text[..LongestValue] + "...",
        var text => text,
    };
}
