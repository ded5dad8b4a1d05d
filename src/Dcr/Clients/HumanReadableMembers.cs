using System.Text.Json;

namespace Dcr.Clients;

/// <summary>The metadata members that may carry a language tag, such as <c>client_name#ja</c> (RFC 7591 section 2.2).</summary>
internal static class HumanReadableMembers
{
    private const int MaxTag = 35;

    private static readonly string[] s_names = ["client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri"];

    public static bool IsUri(string name) =>
        name.EndsWith("_uri", StringComparison.Ordinal) || name.Contains("_uri#", StringComparison.Ordinal);

    public static bool IsTagged(string name)
    {
        var hash = name.IndexOf('#', StringComparison.Ordinal);
        return hash > 0 && s_names.Contains(name[..hash]) && IsLanguageTag(name.AsSpan(hash + 1));
    }

    /// <summary>
    /// The language-tagged members among those not known by name; what else was sent is ignored (RFC 7591 section 2), and
    /// null is as good as absent.
    /// </summary>
    public static Dictionary<string, JsonElement>? Keep(Dictionary<string, JsonElement>? others)
    {
        var kept = others?.Where(member => IsTagged(member.Key) && member.Value.ValueKind != JsonValueKind.Null)
            .ToDictionary(member => member.Key, member => member.Value.Clone(), StringComparer.Ordinal);
        return kept is { Count: > 0 } ? kept : null;
    }

    // RFC 5646 in outline: subtags of letters and digits, joined by hyphens.
    private static bool IsLanguageTag(ReadOnlySpan<char> tag)
    {
        if (tag.IsEmpty || tag.Length > MaxTag || tag[0] == '-' || tag[^1] == '-')
        {
            return false;
        }
        foreach (var c in tag)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-')
            {
                return false;
            }
        }
        return true;
    }
}
