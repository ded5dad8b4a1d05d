using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Dcr.Keys;

/// <summary>How connections to strangers' hosts are made and used: nothing is followed, kept, or told beyond the request itself.</summary>
internal static class FetchConnections
{
    public static HttpClient Create(JwksOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            Credentials = null,
            // No Brotli: its stream reports bad data in a way that cannot be told from a bug.
            AutomaticDecompression = DecompressionMethods.GZip | DecompressionMethods.Deflate,
            SslOptions = new SslClientAuthenticationOptions
            {
                // The certificate names URLs, of missing issuers and of revocation lists: those would be fetched from
                // wherever a stranger wrote, past the check of addresses.
                CertificateChainPolicy = new X509ChainPolicy
                {
                    DisableCertificateDownloads = true,
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
            ConnectCallback = PublicNetworkOnly.ConnectAsync,
            // Nothing of the caller's request goes to a stranger's host: no traceparent, tracestate or baggage.
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.FetchTimeout,
            MaxConnectionsPerServer = FetchShares.MostFromOneHost,
            MaxResponseHeadersLength = 16, // KiB
            MaxResponseDrainSize = 0,
            // A name is looked up and checked again before long.
            PooledConnectionLifetime = TimeSpan.FromSeconds(30),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5),
        };
        var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/jwk-set+json"));
        http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json", 0.9));
        // Firewalls refuse who says nothing.
        http.DefaultRequestHeaders.UserAgent.Add(
            new ProductInfoHeaderValue("Dcr", typeof(JwksFetcher).Assembly.GetName().Version!.ToString(fieldCount: 3)));
        return http;
    }
}
