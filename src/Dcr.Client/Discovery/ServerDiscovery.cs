namespace Dcr.Client;

/// <summary>The server's metadata, fetched when first needed and again every hour.</summary>
internal sealed class ServerDiscovery(ProtocolExchange exchange, string issuer, TimeProvider time)
{
    private static readonly TimeSpan s_fresh = TimeSpan.FromHours(1);

    private readonly AsyncGate _gate = new();
    private Discovered? _discovered;

    public string Issuer => issuer;

    public async Task<AuthorizationServerMetadata> FindAsync(CancellationToken cancellationToken) =>
        Fresh() ?? await _gate.RunAsync(async () => Fresh() ?? await FetchAsync(cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    public async Task<Uri> RegistrationEndpointAsync(CancellationToken cancellationToken) =>
        (await FindAsync(cancellationToken).ConfigureAwait(false)).RegistrationEndpoint
            ?? throw new HttpRequestException(HttpRequestError.InvalidResponse, $"{issuer} has no registration_endpoint: it does not register clients.");

    private AuthorizationServerMetadata? Fresh() =>
        Volatile.Read(ref _discovered) is { } discovered && discovered.FreshUntil > time.GetUtcNow() ? discovered.Metadata : null;

    private async Task<AuthorizationServerMetadata> FetchAsync(CancellationToken cancellationToken)
    {
        var answer = await exchange.SendAsync(new ProtocolRequest { Method = HttpMethod.Get, Uri = MetadataUri(issuer) }, cancellationToken).ConfigureAwait(false);
        answer.ThrowIfRefused();
        var metadata = answer.Read(DcrClientJson.Default.AuthorizationServerMetadata, "server metadata");
        // RFC 8414 section 3.3: else one server could speak for another.
        if (metadata.Issuer != issuer)
        {
            throw new HttpRequestException(HttpRequestError.InvalidResponse, $"The metadata is for the issuer {metadata.Issuer}, not for {issuer}. The two must be equal, also in a slash at the end.");
        }
        SecureUri.Check(metadata.TokenEndpoint, "token_endpoint");
        SecureUri.Check(metadata.RegistrationEndpoint, "registration_endpoint");
        Volatile.Write(ref _discovered, new Discovered(metadata, time.GetUtcNow() + s_fresh));
        return metadata;
    }

    /// <summary>RFC 8414 section 3.1: between host and path.</summary>
    private static Uri MetadataUri(string issuer)
    {
        var uri = new Uri(issuer);
        return new Uri($"{uri.GetLeftPart(UriPartial.Authority)}/.well-known/oauth-authorization-server{uri.AbsolutePath.TrimEnd('/')}");
    }

    private sealed record Discovered(AuthorizationServerMetadata Metadata, DateTimeOffset FreshUntil);
}
