using System.Text.Json.Nodes;
using Spectre.Console;

namespace Dcr.Cli;

/// <summary>A diagnosis for people: the verdict, the rules, what it rests on, what to do next.</summary>
internal static class DiagnosisText
{
    public static void Write(Terminal terminal, Diagnosis diagnosis)
    {
        var console = terminal.Out;
        console.Write(
            new Text(Printable.Of(VerdictOf(diagnosis)) + "\n\n", new Style(ColorOf(diagnosis.Conclusion), decoration: Decoration.Bold)));
        WriteRules(terminal, diagnosis.Findings);
        console.WriteLine();
        Terminal.WriteFacts(console, Basis(diagnosis));
        foreach (var warning in diagnosis.Warnings)
        {
            console.MarkupLineInterpolated($"[yellow]warning:[/] {Printable.Of(warning)}");
        }
        foreach (var next in NextOf(diagnosis).Distinct())
        {
            console.MarkupLineInterpolated($"[grey]next:[/]  {Printable.Of(next)}");
        }
    }

    private static string VerdictOf(Diagnosis diagnosis)
    {
        if (diagnosis is { IsServerAlone: true, Question: { } question })
        {
            var rules = diagnosis.Failed is [var one] ? $"rule {(int)one.Rule} ({one.RuleName})" : "rule 3 or 4 (client, key)";
            return $"The server refuses: {rules}. It says: {question.Detail}";
        }
        if (diagnosis.Failed is [var first, ..])
        {
            var others = diagnosis.Failed.Skip(1).ToList();
            var more = others.Count == 0 ? "" : $" So {(others.Count == 1 ? "does" : "do")} {Names(others)}.";
            return $"Rule {(int)first.Rule} ({first.RuleName}) fails: {first.Detail}.{more}";
        }
        return diagnosis switch
        {
            { Conclusion: "refused" } => $"The server refuses it: {diagnosis.Verdict!.Detail}.",
            { Verdict.Answer: not null } or { Conclusion: "accepted" } => "The server accepts it.",
            { Unknown.Count: 0 } =>
                "Nothing fails that can be seen from here; whether an administrator has quarantined the key only the server can say.",
            _ => $"Nothing fails that can be seen from here. Not known: {Names(diagnosis.Unknown)}.",
        };
    }

    private static string Names(IReadOnlyList<Finding> findings) =>
        (findings.Count == 1 ? "rule " : "rules ")
            + string.Join(", ", findings.Select(finding => $"{(int)finding.Rule} ({finding.RuleName})"));

    private static void WriteRules(Terminal terminal, IReadOnlyList<Finding> findings)
    {
        const int Outcome = 9;
        const int Rule = 4 + 12;
        foreach (var finding in findings)
        {
            var outcome = Diagnosis.NameOf(finding.Outcome);
            var lines = TextTable.Wrapped(Printable.Of(finding.Detail), terminal.Width - Outcome - Rule);
            terminal.Out.Write(outcome.PadRight(Outcome), new Style(ColorOf(outcome)));
            terminal.Out.WriteLine($"{(int)finding.Rule,-4}{finding.RuleName,-12}{lines[0]}");
            foreach (var line in lines.Skip(1))
            {
                terminal.Out.WriteLine(new string(' ', Outcome + Rule) + line);
            }
        }
    }

    /// <summary>What was looked at.</summary>
    private static JsonObject Basis(Diagnosis diagnosis)
    {
        var basis = new JsonObject();
        if (diagnosis.Known.Server is { } server)
        {
            basis["server"] = $"{server.Issuer}{(server.TokenEndpoint is null ? ", not asked or not reached" : "")}";
        }
        basis["clock"] = diagnosis.Known.Server?.Ahead switch
        {
            null => "the one here; the server's is not known",
            { Ticks: 0 } => "the server's, with which the one here agrees",
            { } ahead => $"the server's, which is {TimeText.Seconds(ahead)} {(ahead > TimeSpan.Zero ? "ahead of" : "behind")} the one here",
        };
        if (diagnosis.Known.Published is { } published)
        {
            var age = published.MaxAge is { } seconds ? TimeText.Seconds(seconds) : "not said";
            var fetched = published.FetchedAt is null ? "" : $" (max-age {age})";
            basis["keys"] = published.Absence ?? $"{published.Name}{fetched}: {published.Fault ?? published.KeyNames}";
        }
        if (diagnosis.Question is { } question)
        {
            basis["the server says"] = question.Detail;
        }
        if (diagnosis.Verdict?.Answer is { } answer)
        {
            basis["server's word"] = diagnosis.Verdict.Accepted ? "accepted" : diagnosis.Verdict.Detail;
            Copy(answer, "told_client", basis, "the client is told");
            Copy(answer, "client_status", basis, "the client is");
            Copy(answer["key"], "thumbprint", basis, "verified by");
            if (answer["keys"] is JsonArray keys)
            {
                basis["its keys"] = string.Join("; ", keys.OfType<JsonObject>().Select(KeyLine));
            }
        }
        return basis;
    }

    private static void Copy(JsonNode? from, string member, JsonObject to, string name)
    {
        if (from?[member] is { } value)
        {
            to[name] = value.DeepClone();
        }
    }

    private static string KeyLine(JsonObject key) => string.Join(' ', key
        .Where(
            member =>
                member.Value is not null
                    && member.Key is "kid" or "alg" or "state" or "last_used_at" or "fetched_at" or "fresh_until" or "last_failure")
        .Select(
            member => member.Key is "kid" or "alg" or "state" ? Facts.TextOf(member.Value) : $"{member.Key} {Facts.TextOf(member.Value)}"));

    private static IEnumerable<string> NextOf(Diagnosis diagnosis)
    {
        // What is not known matters only where nothing is known to be wrong.
        foreach (var finding in diagnosis.Failed.Count > 0 ? diagnosis.Failed : diagnosis.Unknown)
        {
            if (finding.Next is { } next)
            {
                yield return next;
            }
        }
        if (diagnosis is { Verdict: null, Conclusion: "unknown" } or { Question.Accepted: false })
        {
            yield return $"With the profile of an administrator the server says which rule, and why: {diagnosis.CommandLine} --admin admin";
        }
    }

    private static Color ColorOf(string outcome) => outcome switch
    {
        "passed" or "accepted" => Color.Green,
        "failed" or "refused" => Color.Red,
        _ => Color.Yellow,
    };
}
