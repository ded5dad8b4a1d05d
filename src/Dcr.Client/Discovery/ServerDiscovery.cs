using Dcr.Jose;

namespace Dcr.Client;

/// <summary>
/// The server's metadata, fetched when first needed, and again once it is an hour old; meanwhile, and while that fails, the old one is used
/// for up to a day. Whoever needs it waits with all others for one answer.
/// </summary>
internal sealed class ServerDiscovery
{
    private static readonly TimeSpan s_fresh = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_usable = TimeSpan.FromDays(1);
    private static readonly TimeSpan s_pauseAfterFailure = TimeSpan.FromMinutes(1);

    private readonly ProtocolExchange _exchange;
    private readonly SharedRefresh<AuthorizationServerMetadata> _metadata;

    public ServerDiscovery(ProtocolExchange exchange, string issuer)
    {
        _exchange = exchange;
        Issuer = issuer;
        _metadata = new SharedRefresh<AuthorizationServerMetadata>(
            (_, stop) => FetchAsync(stop),
            new SharedRefreshRules<AuthorizationServerMetadata>
            {
                FreshFor = _ => s_fresh,
                UsableFor = _ => s_usable,
                Timeout = exchange.Longest,
                // Nobody waits twice for a server that does not answer: for this, and then for what it was needed for.
                Meanwhile = WhileRefreshing.ServeOld,
                PauseAfterFailure = s_pauseAfterFailure,
            },
            exchange.Time);
    }

    public string Issuer { get; }

    public async Task<AuthorizationServerMetadata> FindAsync(CancellationToken cancellationToken) =>
        await _metadata.GetAsync(cancellationToken).ConfigureAwait(false);

    public async Task<Uri> RegistrationEndpointAsync(CancellationToken cancellationToken) =>
        (await FindAsync(cancellationToken).ConfigureAwait(false)).RegistrationEndpoint
            ?? throw new HttpRequestException(
                HttpRequestError.InvalidResponse, $"{Issuer} has no registration_endpoint: it does not register clients.");

    private async Task<AuthorizationServerMetadata> FetchAsync(CancellationToken cancellationToken)
    {
        var answer = await _exchange.SendAsync(
            new ProtocolRequest { Method = HttpMethod.Get, Uri = MetadataUri(Issuer) }, cancellationToken).ConfigureAwait(false);
        answer.ThrowIfRefused();
        var metadata = answer.Read(DcrClientJson.Default.AuthorizationServerMetadata, "server metadata");
        // RFC 8414 section 3.3: else one server could speak for another.
        if (metadata.Issuer != Issuer)
        {
            throw new HttpRequestException(
                HttpRequestError.InvalidResponse,
                $"The metadata is for the issuer {metadata.Issuer}, not for {Issuer}. The two must be equal, also in a slash at the end.");
        }
        SecureUri.Check(metadata.TokenEndpoint, "token_endpoint");
        SecureUri.Check(metadata.RegistrationEndpoint, "registration_endpoint");
        return metadata;
    }

    /// <summary>RFC 8414 section 3.1: between host and path.</summary>
    private static Uri MetadataUri(string issuer)
    {
        var uri = new Uri(issuer);
        return new Uri($"{uri.GetLeftPart(UriPartial.Authority)}/.well-known/oauth-authorization-server{uri.AbsolutePath.TrimEnd('/')}");
    }
}
