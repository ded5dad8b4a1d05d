namespace Dcr.Client;

/// <summary>Tokens and assertions go over https, or to this machine itself.</summary>
internal static class SecureUri
{
    public static bool IsSecure(Uri uri) =>
        uri.IsAbsoluteUri && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback));

    /// <param name="uri">Named by the server. Null: it named none.</param>
    /// <param name="member">By which it was named.</param>
    public static void Check(Uri? uri, string member)
    {
        if (uri is not null && !IsSecure(uri))
        {
            throw new HttpRequestException(HttpRequestError.InvalidResponse, $"The server's {member}, {uri}, is not https.");
        }
    }
}
