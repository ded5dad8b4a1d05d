using Dcr.Client;

// Where IntelliSense looks for what can be added.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds <see cref="DcrClient"/> to services, and access tokens to HttpClients.</summary>
public static class DcrClientServiceExtensions
{
    private static readonly TimeSpan s_connectionLifetime = TimeSpan.FromMinutes(5);

    /// <summary>Adds a <see cref="DcrClient"/> for one server, with an HttpClient that follows no redirects.</summary>
    /// <param name="services">To add to.</param>
    /// <param name="issuer">The issuer identifier of the server, exactly as in its metadata.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <returns>The builder of the HttpClient that is used for the server.</returns>
    public static IHttpClientBuilder AddDcrClient(this IServiceCollection services, string issuer, DcrClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var name = $"Dcr.Client {issuer}";
        services.AddSingleton(
            provider => new DcrClient(provider.GetRequiredService<IHttpClientFactory>().CreateClient(name), issuer, options));
        // One client lives as long as the program: its connections are renewed, its handlers are not.
        return services.AddHttpClient(name)
            .ConfigurePrimaryHttpMessageHandler(
                () => new SocketsHttpHandler { AllowAutoRedirect = false, PooledConnectionLifetime = s_connectionLifetime })
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan);
    }

    /// <summary>
    /// Puts an access token on every request of an HttpClient: Bearer, or DPoP with a proof for each request. A token that
    /// the API refuses as <c>invalid_token</c> is renewed once. Requests go to https only, or to this machine.
    /// </summary>
    /// <param name="builder">Of the HttpClient. Use it for this one API: the token goes wherever its requests go.</param>
    /// <param name="tokens">Finds the client's tokens; the same object each time.</param>
    /// <param name="scope">Space-separated. Null: all that is registered.</param>
    /// <param name="resource">The API (RFC 8707). Null: the server's default.</param>
    /// <example>
    /// <code>
    /// services.AddDcrClient("https://as.example");
    /// services.AddSingleton(provider => provider.GetRequiredService&lt;DcrClient>().AccessTokensFor(new ClientCredentials(clientId,
    /// key))); services.AddHttpClient("orders", http => http.BaseAddress = new Uri("https://orders.example"))
    ///     .AddAccessTokens(provider => provider.GetRequiredService&lt;AccessTokenSource>(), scope: "read");
    /// </code>
    /// </example>
    public static IHttpClientBuilder AddAccessTokens(
        this IHttpClientBuilder builder, Func<IServiceProvider, AccessTokenSource> tokens, string? scope = null, string? resource = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(tokens);
        return builder.AddHttpMessageHandler(provider => new AccessTokenHandler(tokens(provider), scope, resource));
    }
}
