using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Dcr;

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

    private string HostedKeySetPrefix => Issuer + "/keys/";

    public string HostedKeySet(string id) => HostedKeySetPrefix + id + HostedKeySetSuffix;

    /// <summary>The id of the hosted key set that a URI names. Null: it is not one of ours.</summary>
    public string? HostedKeySetId(string uri) =>
        uri.StartsWith(HostedKeySetPrefix, StringComparison.Ordinal) && uri.EndsWith(HostedKeySetSuffix, StringComparison.Ordinal)
            && uri.Length > HostedKeySetPrefix.Length + HostedKeySetSuffix.Length
            ? uri[HostedKeySetPrefix.Length..^HostedKeySetSuffix.Length]
            : null;

    /// <summary>The URL a request was sent to, without query, as the outside knows it.</summary>
    public string At(HttpRequest request) => new Uri(Issuer).GetLeftPart(UriPartial.Authority) + (request.PathBase + request.Path).ToUriComponent();

    /// <summary>Where a client manages the hosted key set it uses.</summary>
    public string ClientKeys(string clientId) => RegistrationClientUri(clientId) + "/keys";

    public string RegistrationClientUri(string clientId) => $"{RegistrationEndpoint}/{Uri.EscapeDataString(clientId)}";
}
