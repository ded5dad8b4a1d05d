using Microsoft.AspNetCore.Http;

namespace Dcr.Protocol;

/// <summary>RFC 6749 section 5.1, RFC 7591 section 3.2.1: no answer may be cached unless its route says so.</summary>
internal static class SafeHeaders
{
    public static void Set(IHeaderDictionary headers)
    {
        headers.CacheControl = "no-store";
        headers.Pragma = "no-cache";
        headers.XContentTypeOptions = "nosniff";
    }
}
