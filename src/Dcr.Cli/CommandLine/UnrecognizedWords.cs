using System.Buffers.Text;
using System.CommandLine;
using System.CommandLine.Parsing;

namespace Dcr.Cli;

/// <summary>
/// Words of a command line that nothing is known of. The parser would take an option with a typo for an id, or for the value of
/// the option before it, and the command would do half of what was meant.
/// </summary>
internal static class UnrecognizedWords
{
    private const int LikeliestTypo = 2;

    // RFC 7638 with SHA-256.
    private const int LengthOfThumbprint = 43;

    /// <summary>What is wrong, a sentence for each word; with help for it too, which would otherwise be that of another command.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="typed">The same, word by word.</param>
    public static IReadOnlyList<string> Find(ParseResult parsed, IReadOnlyList<string> typed)
    {
        if (parsed.Tokens.Any(token => token.Type == TokenType.Directive))
        {
            return [];
        }
        // After -- every word is what it is, also one that begins with a dash.
        var readAsOptions = parsed.Tokens.TakeWhile(
            token => token.Type != TokenType.DoubleDash).ToHashSet(ReferenceEqualityComparer.Instance);
        var faults = parsed.UnmatchedTokens.Select(
            word => IsOption(word) ? OptionFault(parsed, word) : CommandFault(parsed, word)).ToList();
        for (SymbolResult? at = parsed.CommandResult; at is CommandResult command; at = at.Parent)
        {
            faults.AddRange(command.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens)
                .Where(token => IsOption(token.Value) && readAsOptions.Contains(token))
                .Select(token => OptionFault(parsed, token.Value)));
            // A value may begin with one dash: thumbprints do. Where it begins with two, = says that it is meant: --kid=--k1.
            faults.AddRange(command.Children.OfType<OptionResult>().SelectMany(option => option.Tokens)
                .Where(
                    token => token.Value.StartsWith("--", StringComparison.Ordinal) && IsOption(token.Value) && typed.Contains(token.Value))
                .Select(token => OptionFault(parsed, token.Value)));
        }
        return faults;
    }

    // One thumbprint in 64 begins with a dash, and no option is as long.
    private static bool IsOption(string word) =>
        word.Length > 1 && word[0] == '-' && !(word.Length == LengthOfThumbprint && Base64Url.IsValid(word));

    private static string OptionFault(ParseResult parsed, string word)
    {
        var name = word.Split('=', ':')[0];
        var near = Options(parsed)
            .Where(known => known.StartsWith("--", StringComparison.Ordinal))
            .OrderBy(known => Distance(known, name))
            .FirstOrDefault();
        return near is not null && Distance(near, name) <= LikeliestTypo
            ? $"Unrecognized option {word}. Did you mean {near}?"
            : $"Unrecognized option {word}. If it is a value, put -- before it.";
    }

    private static string CommandFault(ParseResult parsed, string word)
    {
        var path = CommandLineRules.PathOf(parsed);
        var near = parsed.CommandResult.Command.Subcommands.Select(command => command.Name)
            .OrderBy(known => Distance(known, word))
            .FirstOrDefault();
        return near is null ? $"Unrecognized argument {word}."
            : Distance(near, word) <= LikeliestTypo ? $"Unrecognized command {path} {word}. Did you mean {path} {near}?"
            : $"Unrecognized command {path} {word}.";
    }

    private static IEnumerable<string> Options(ParseResult parsed)
    {
        for (var at = parsed.CommandResult; at is not null; at = at.Parent as CommandResult)
        {
            foreach (var option in at.Command.Options.Where(option => at == parsed.CommandResult || option.Recursive))
            {
                yield return option.Name;
            }
        }
    }

    // How many characters must be added, left out or changed (Levenshtein).
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var changed = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, 1 + Math.Min(row[j], row[j - 1]));
            }
        }
        return row[^1];
    }
}
