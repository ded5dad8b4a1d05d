using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Dcr.Protocol;

/// <summary>Strong entity tags (RFC 9110 section 8.8.3); that of a client is its version.</summary>
internal static class EntityTag
{
    public static string Of(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <summary>A tag of what a document is made of.</summary>
    public static string Of(IEnumerable<string> parts) =>
        $"\"{Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(' ', parts))))}\"";

    /// <summary>RFC 9110 section 13.1.1: true without If-Match, with <c>*</c>, or when the version is among its tags.</summary>
    public static bool Matches(IHeaderDictionary headers, long version) => Condition(headers)(version);

    /// <summary>The same, to be asked once the version is known.</summary>
    public static Func<long, bool> Condition(IHeaderDictionary headers)
    {
        var ifMatch = headers.IfMatch;
        if (ifMatch.Count == 0)
        {
            return _ => true;
        }
        List<string> tags = [.. ifMatch.SelectMany(header => (header ?? "").Split(',', StringSplitOptions.TrimEntries))];
        return version => tags.Any(tag => tag == "*" || tag == Of(version));
    }
}
