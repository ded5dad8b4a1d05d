using System.Text.RegularExpressions;

namespace Dcr.Cli;

/// <summary>Words of commands that are printed, so that they can be copied and run as they are.</summary>
internal static partial class ShellWord
{
    /// <summary>As it is, or in quotes where a shell would read something else.</summary>
    public static string Of(string word) => Plain().IsMatch(word) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    /// <summary>The last words of a command: after -- where the first would be read as an option.</summary>
    public static string Last(string word) => word.StartsWith('-') ? $"-- {Of(word)}" : Of(word);

    [GeneratedRegex("^[A-Za-z0-9_./:=@%+,-]+$")]
    private static partial Regex Plain();
}
