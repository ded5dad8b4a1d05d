namespace Dcr.Jose;

/// <summary>What somebody sent, short enough to be named in a sentence.</summary>
internal static class Shortened
{
    private const int MaxName = 64;
    private const int MaxUrl = 200;

    public static string Of(string text) => Cut(text, MaxName);

    public static string OfUrl(string url) => Cut(url, MaxUrl);

    /// <summary>The same for what may have been left out.</summary>
    public static string OrNone(string? text) => text is null ? "(none)" : Of(text);

    private static string Cut(string text, int max) => text.Length <= max ? text : text[..max] + "...";
}
