namespace Dcr.Client;

/// <summary>
/// An authorization server that lets clients register themselves, seen from outside. Make one for each server and keep it;
/// it is safe for many threads.
/// </summary>
/// <example>From nothing to an access token:
/// <code>
/// var dcr = new DcrClient(httpClient, "https://as.example");
/// var initial = await dcr.GetInitialAccessTokenAsync(new ClientCredentials("partner-directory", directoryKey));
///
/// using var key = ClientKey.Generate();
/// var registration = dcr.RegistrationIn(new FileRegistrationStore("registration.json"));
/// var client = await registration.RegisterAsync(initial, new ClientMetadata { ClientName = "Partner", Scope = "read" }, key);
///
/// var tokens = dcr.AccessTokensFor(new ClientCredentials(client.ClientId, key));
/// var token = await tokens.GetAsync("read");
/// </code>
/// </example>
public sealed class DcrClient
{
    private readonly ProtocolExchange _exchange;
    private readonly ServerDiscovery _discovery;
    private readonly TokenEndpoint _tokens;
    private readonly RegistrationRequests _registrations;

    /// <summary>A server.</summary>
    /// <param name="http">Belongs to the caller. Best with redirects off: no endpoint of the protocol redirects.</param>
    /// <param name="issuer">
    /// The issuer identifier, such as <c>https://as.example</c>, exactly as the server writes it in its metadata (also
    /// whether there is a slash at the end). https, or http for a server on this machine.
    /// </param>
    /// <param name="options">Null: the defaults.</param>
    public DcrClient(HttpClient http, string issuer, DcrClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentException.ThrowIfNullOrEmpty(issuer);
        // RFC 8414 section 2: no query, no fragment.
        if (!Uri.TryCreate(issuer, UriKind.Absolute, out var uri)
            || !SecureUri.IsSecure(uri)
            || uri.Query.Length > 0
            || uri.Fragment.Length > 0)
        {
            throw new ArgumentException(
                "The issuer must be an https URL (http for this machine only) without query and fragment.", nameof(issuer));
        }
        options ??= new DcrClientOptions();
        _exchange = new ProtocolExchange(http, options);
        _discovery = new ServerDiscovery(_exchange, issuer);
        _tokens = new TokenEndpoint(_exchange, _discovery);
        _registrations = new RegistrationRequests(_exchange, _discovery, boundTo: null);
    }

    /// <summary>
    /// The server's metadata (RFC 8414). There is no need to call this first. What is an hour old is fetched again on the way, and
    /// used meanwhile, for up to a day while the server is away.
    /// </summary>
    /// <exception cref="HttpRequestException">The server cannot be reached, or its metadata is for another issuer.</exception>
    public Task<AuthorizationServerMetadata> DiscoverAsync(CancellationToken cancellationToken = default) =>
        _discovery.FindAsync(cancellationToken);

    /// <summary>Asks for the right to register a client (RFC 7591 section 1.2), as a party that is trusted to onboard others.</summary>
    /// <param name="onboarding">A client that may get the scope <c>dcr</c>.</param>
    /// <param name="bindTo">
    /// The key to bind the token to (RFC 9449), so that only its holder can register with it: the key that will be
    /// registered, where the policy asks for that. Null: a bearer token.
    /// </param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="DcrException">Refused.</exception>
    public async Task<InitialAccessToken> GetInitialAccessTokenAsync(
        ClientCredentials onboarding, ISigningKey? bindTo = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(onboarding);
        var token = await _tokens.RequestAsync(onboarding, "dcr", resource: null, bindTo, cancellationToken).ConfigureAwait(false);
        return new InitialAccessToken(token.Value, bindTo) { ExpiresAt = token.ExpiresAt };
    }

    /// <summary>
    /// Asks for the right to register, as a device whose key somebody vouches for. The app itself has no key: one that is in
    /// every copy of it is no secret.
    /// </summary>
    /// <param name="attestation">For <paramref name="deviceKey"/>, from the app's backend. It can be used again while it lasts.</param>
    /// <param name="deviceKey">The key that was made on the device: the token is bound to it, and it is the one to register.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <exception cref="DcrException">
    /// Refused; <c>invalid_client</c>: the attestation has ended or is not trusted; <c>invalid_dpop_proof</c>: it is for another key.
    /// </exception>
    /// <example>
    /// <code>
    /// var initial = await dcr.GetInitialAccessTokenAsync(new ClientAttestation(fromBackend), deviceKey);
    /// var client = await registration.RegisterAsync(initial, new ClientMetadata(), deviceKey);
    /// </code>
    /// </example>
    public async Task<InitialAccessToken> GetInitialAccessTokenAsync(
        ClientAttestation attestation, ISigningKey deviceKey, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(attestation);
        ArgumentNullException.ThrowIfNull(deviceKey);
        var token = await _tokens.RequestAsync(attestation, "dcr", deviceKey, cancellationToken).ConfigureAwait(false);
        return new InitialAccessToken(token.Value, deviceKey) { ExpiresAt = token.ExpiresAt };
    }

    /// <summary>
    /// Tries a registration out: nothing is registered, the token is not used up. It is here and not at
    /// <see cref="ClientRegistration"/> because it is about no client: no store is read or written, so it can also be asked
    /// before there is a store, or beside one that holds a client.
    /// </summary>
    /// <param name="token">The right to register, whose policy decides.</param>
    /// <param name="metadata">What would be registered.</param>
    /// <param name="key">As for <see cref="ClientRegistration.RegisterAsync"/>: the new client's key, where it is at hand.</param>
    /// <param name="cancellationToken">Stops the wait.</param>
    /// <returns>What would be registered, with what the server and its policy fill in.</returns>
    /// <exception cref="DcrException">It would be refused, and why.</exception>
    /// <example>
    /// <code>
    /// var registered = await dcr.ValidateRegistrationAsync(initial, new ClientMetadata { ClientName = "Warehouse 7" }, key);
    /// Console.WriteLine(registered.Scope); // what the policy gives to those who ask for nothing
    /// </code>
    /// </example>
    public Task<ClientMetadata> ValidateRegistrationAsync(
        InitialAccessToken token, ClientMetadata metadata, ISigningKey? key = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(token);
        ArgumentNullException.ThrowIfNull(metadata);
        return _registrations.ValidateAsync(token, RegistrationRequests.BodyOf(metadata, key), key, cancellationToken);
    }

    /// <summary>One client's registration, kept in a store: to register, read, update and delete.</summary>
    /// <param name="store">Of this client alone. Make one registration object for each store.</param>
    /// <param name="boundTo">
    /// A key of the client, to prove with each use of its registration access token: needed where it registers
    /// <see cref="ClientMetadata.DpopBoundAccessTokens"/>. Null: the token is sent as a bearer token.
    /// </param>
    public ClientRegistration RegistrationIn(IRegistrationStore store, ISigningKey? boundTo = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        var requests = new RegistrationRequests(_exchange, _discovery, boundTo);
        return new ClientRegistration(requests, new HostedKeyRequests(_exchange, requests), store);
    }

    /// <summary>One client's access tokens for APIs. Each call makes a new object with tokens of its own: keep it.</summary>
    /// <param name="client">The client.</param>
    /// <param name="proofKey">
    /// The key to bind tokens to (DPoP, RFC 9449), usually the client's own. Null: bearer tokens, unless the server asks for
    /// proof; then the client's own.
    /// </param>
    public AccessTokenSource AccessTokensFor(ClientCredentials client, ISigningKey? proofKey = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        return new AccessTokenSource(_tokens, client, proofKey, _exchange);
    }
}
