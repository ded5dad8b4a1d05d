using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dcr.Protocol;

/// <summary>
/// Every URL this server names itself by, made from the configured issuer and never from a request's Host header
/// (RFC 8414 section 3.3).
/// </summary>
public sealed class IssuerUrls(IOptions<DcrOptions> options)
{
    public string Issuer { get; } = options.Value.Issuer;

    /// <summary>The issuer's path: empty, or <c>/tenant</c>.</summary>
    public string PathBase { get; } = new Uri(options.Value.Issuer).AbsolutePath.TrimEnd('/');

    public string TokenEndpoint => Issuer + "/oauth/token";

    /// <summary>Also the audience of initial access tokens.</summary>
    public string RegistrationEndpoint => Issuer + "/oauth/register";

    public string JwksUri => Issuer + "/oauth/jwks";

    public string IntrospectionEndpoint => Issuer + "/oauth/introspect";

    public string RevocationEndpoint => Issuer + "/oauth/revoke";

    public string StatusList(string list) => $"{Issuer}/oauth/status/{list}";

    /// <summary>The audience of administrators' access tokens.</summary>
    public string AdminApi => Issuer + "/admin/v1";

    /// <summary>The audience of an access token for an API when the request names none.</summary>
    public string DefaultAudience => Issuer;

    private const string HostedKeySetSuffix = "/jwks.json";
    private const int HostedKeySetIdLength = 32;

    private string HostedKeySetPrefix => Issuer + "/keys/";

    public string HostedKeySet(string id) => HostedKeySetPrefix + id + HostedKeySetSuffix;

    /// <summary>The id of the hosted key set whose URL this is, letter for letter. Null: it is not that of one.</summary>
    public string? HostedKeySetId(string uri) =>
        uri.StartsWith(HostedKeySetPrefix, StringComparison.Ordinal) && uri.EndsWith(HostedKeySetSuffix, StringComparison.Ordinal)
            && uri.Length == HostedKeySetPrefix.Length + HostedKeySetIdLength + HostedKeySetSuffix.Length
            && uri[HostedKeySetPrefix.Length..^HostedKeySetSuffix.Length] is var id && id.All(char.IsAsciiHexDigitLower)
            ? id
            : null;

    /// <summary>
    /// Whether a URI leads to the issuer's host and port, however it is spelled: scheme and host in whatever case, a host that ends
    /// in a dot or is written in Unicode, a port that is the scheme's own, another name of this machine.
    /// </summary>
    public bool IsHere(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri))
        {
            return false;
        }
        var issuer = new Uri(Issuer);
        var isSameHost = uri.IdnHost.TrimEnd('.').Equals(issuer.IdnHost.TrimEnd('.'), StringComparison.OrdinalIgnoreCase)
            || (uri.IsLoopback && issuer.IsLoopback);
        return isSameHost && (uri.Port == issuer.Port || (uri.IsDefaultPort && issuer.IsDefaultPort));
    }

    /// <summary>The URL a request was sent to, without query, as the outside knows it.</summary>
    public string At(HttpRequest request) =>
        new Uri(Issuer).GetLeftPart(UriPartial.Authority) + (request.PathBase + request.Path).ToUriComponent();

    /// <summary>Where a client manages the hosted key set it uses.</summary>
    public string ClientKeys(string clientId) => RegistrationClientUri(clientId) + "/keys";

    public string RegistrationClientUri(string clientId) => $"{RegistrationEndpoint}/{Uri.EscapeDataString(clientId)}";
}
