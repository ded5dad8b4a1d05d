namespace Dcr.Protocol;

/// <summary>What may be named as an audience: an absolute URI without a fragment (RFC 8707 section 2).</summary>
internal static class Resource
{
    private const int MaxLength = 2048;

    /// <summary>Null when the text may be.</summary>
    public static string? Fault(string? text) =>
        text is { Length: > 0 and <= MaxLength }
            && Uri.TryCreate(text, UriKind.Absolute, out _)
            && UriText.Fault(text) is null
            && !text.Contains('#', StringComparison.Ordinal)
            ? null
            : "must be an absolute URI without a fragment (RFC 8707 section 2).";
}
