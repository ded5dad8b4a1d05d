namespace Dcr.Cli;

/// <summary>What somebody else wrote, as it may stand in a sentence.</summary>
internal static class Excerpt
{
    private const int MaxLength = 200;
    private const int MaxListed = 10;

    public static string Of(string? text) => text switch
    {
        null => "missing",
        "" => "empty",
        { Length: > MaxLength } => Printable.Of(text[..MaxLength]) + "...",
        _ => Printable.Of(text),
    };

    public static string List(IReadOnlyCollection<string> names) =>
        string.Join(' ', names.Take(MaxListed).Select(Of)) + (names.Count > MaxListed ? $" and {names.Count - MaxListed} more" : "");
}
