using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Dcr.Protocol;

/// <summary>A client's version as a strong entity tag (RFC 9110 section 8.8.3).</summary>
internal static class EntityTag
{
    public static string Of(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>RFC 9110 section 13.1.1: true without If-Match, with <c>*</c>, or when the version is among its tags.</summary>
    public static bool Matches(IHeaderDictionary headers, long version)
    {
        var ifMatch = headers.IfMatch;
        if (ifMatch.Count == 0)
        {
            return true;
        }
        var tags = ifMatch.SelectMany(header => (header ?? "").Split(',', StringSplitOptions.TrimEntries));
        return tags.Any(tag => tag == "*" || tag == Of(version));
    }
}
