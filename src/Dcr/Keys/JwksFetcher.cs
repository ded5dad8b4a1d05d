using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Unicode;
using Dcr.Protocol;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Dcr.Keys;

/// <summary>
/// Downloads the JWK Set of a client (RFC 7591 section 2, jwks_uri) from a host nobody vouches for: public addresses
/// only, no redirects, proxies, cookies or credentials, all within one short time and a small size. Fails closed.
/// </summary>
internal sealed partial class JwksFetcher : IDisposable
{
    private const int MaxDepth = 16;

    private static readonly JsonDocumentOptions s_strict = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    private readonly JwksOptions _options;
    private readonly HostShares _shares = new();
    private readonly HttpClient _http;
    private readonly ILogger<JwksFetcher> _logger;

    public JwksFetcher(IOptions<JwksOptions> options, ILogger<JwksFetcher> logger)
        : this(options, logger, lookUp: null)
    {
    }

    /// <param name="lookUp">How host names become addresses. Null: the system's resolver.</param>
    internal JwksFetcher(IOptions<JwksOptions> options, ILogger<JwksFetcher> logger, Func<string, CancellationToken, Task<IPAddress[]>>? lookUp)
    {
        _options = options.Value;
        _logger = logger;
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
                CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
            },
            ConnectCallback = new PublicNetworkOnly(_options.AllowPrivateNetworks, lookUp).ConnectAsync,
            ConnectTimeout = _options.FetchTimeout,
            MaxConnectionsPerServer = HostShares.PerHost,
            MaxResponseHeadersLength = 16, // KiB
            MaxResponseDrainSize = 0,
            // A name is looked up and checked again before long.
            PooledConnectionLifetime = TimeSpan.FromSeconds(30),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5),
        };
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/jwk-set+json"));
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json", 0.9));
    }

    /// <param name="uri">The <c>jwks_uri</c>.</param>
    /// <param name="known">What is known of an earlier document, to be spared the same one again.</param>
    /// <param name="cancellationToken">Ends the download.</param>
    public async Task<JwksFetchOutcome> FetchAsync(Uri uri, JwksValidators known, CancellationToken cancellationToken)
    {
        var outcome = JwksUri.Fault(uri.OriginalString, _options) is { } fault
            ? new JwksFetchFailed(JwksFetchFailure.NotAllowed, fault)
            : await TryFetchAsync(uri, known, cancellationToken);
        if (outcome is JwksFetchFailed failed)
        {
            LogFailed(uri.Host, failed.Reason);
        }
        return outcome;
    }

    public void Dispose() => _http.Dispose();

    private async Task<JwksFetchOutcome> TryFetchAsync(Uri uri, JwksValidators known, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_options.FetchTimeout);
        try
        {
            using var share = await _shares.TakeAsync(uri.IdnHost, timeout.Token);
            // A resolver may not heed cancellation: the wait ends here whatever hangs.
            return share is null
                ? new JwksFetchFailed(JwksFetchFailure.Busy, "too many downloads from this host are waiting; try again shortly.")
                : await DownloadAsync(uri, known, timeout.Token).WaitAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new JwksFetchFailed(JwksFetchFailure.Timeout, $"the document did not arrive within {_options.FetchTimeout.TotalSeconds:0.#} s.");
        }
        catch (HttpRequestException exception) when (exception.InnerException is NotPublicAddressException)
        {
            return new JwksFetchFailed(JwksFetchFailure.NotPublic, "the host must have public addresses only.");
        }
        catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException)
        {
            return new JwksFetchFailed(JwksFetchFailure.Unreachable, "the TLS connection could not be made; check the certificate, and that the host sends its whole chain.");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidDataException)
        {
            return new JwksFetchFailed(JwksFetchFailure.Unreachable, "the host could not be reached, or broke off.");
        }
    }

    private async Task<JwksFetchOutcome> DownloadAsync(Uri uri, JwksValidators known, CancellationToken cancellationToken)
    {
        using var request = Conditional(uri, known);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotModified && known != JwksValidators.None)
        {
            return new JwksNotModified(MaxAge(response));
        }
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return new JwksFetchFailed(JwksFetchFailure.Status, $"the host answered {(int)response.StatusCode}; it must be 200, without redirects.");
        }
        if (!IsJson(response.Content.Headers.ContentType?.MediaType))
        {
            return new JwksFetchFailed(JwksFetchFailure.ContentType, "the document must be application/jwk-set+json or application/json.");
        }
        return await ReadAtMostAsync(response.Content, cancellationToken) is { } bytes
            ? Parse(bytes, new JwksValidators(response.Headers.ETag?.ToString(), response.Content.Headers.LastModified), MaxAge(response))
            : new JwksFetchFailed(JwksFetchFailure.TooLarge, $"the document is larger than {_options.MaxBytes} bytes.");
    }

    private static HttpRequestMessage Conditional(Uri uri, JwksValidators known)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, uri);
        if (known.ETag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", known.ETag);
        }
        if (known.LastModified is not null)
        {
            request.Headers.IfModifiedSince = known.LastModified;
        }
        return request;
    }

    /// <summary>RFC 9111 section 5.2.2: max-age less the age that a cache on the way gave it; zero when it must not be kept.</summary>
    private static TimeSpan? MaxAge(HttpResponseMessage response)
    {
        if (response.Headers.CacheControl is not { } control)
        {
            return null;
        }
        return control.NoStore || control.NoCache ? TimeSpan.Zero : control.MaxAge - (response.Headers.Age ?? TimeSpan.Zero);
    }

    private static bool IsJson(string? mediaType) =>
        mediaType is not null
        && (mediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (mediaType.StartsWith("application/", StringComparison.OrdinalIgnoreCase) && mediaType.EndsWith("+json", StringComparison.OrdinalIgnoreCase)));

    /// <summary>Counts bytes as they come out of decompression, so that a bomb is given up early. Null: too many.</summary>
    private async Task<byte[]?> ReadAtMostAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[_options.MaxBytes + 1];
        var read = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return read > _options.MaxBytes ? null : buffer[..read];
    }

    private JwksFetchOutcome Parse(byte[] bytes, JwksValidators validators, TimeSpan? maxAge)
    {
        if (!Utf8.IsValid(bytes))
        {
            return new JwksFetchFailed(JwksFetchFailure.NotAJwkSet, "the document is not valid UTF-8.");
        }
        try
        {
            using var document = JsonDocument.Parse(bytes, s_strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
            {
                return new JwksFetchFailed(JwksFetchFailure.NotAJwkSet, "the document is no JWK Set (RFC 7517 section 5).");
            }
            var set = new JwkSet { Keys = [.. keys.EnumerateArray()] };
            return ClientKeySet.ReadDownloaded(set, _options.MaxKeys, out var fault) is { } usable
                ? new JwksFetched(usable, bytes.Length, validators, maxAge)
                : new JwksFetchFailed(JwksFetchFailure.NotAJwkSet, $"the document: {fault}");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a lone surrogate escape, found when its string is asked for.
            return new JwksFetchFailed(JwksFetchFailure.NotAJwkSet, "the document is not JSON with each member named once.");
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Download of a JWK Set from {Host} failed: {Reason}")]
    private partial void LogFailed(Printed host, JwksFetchFailure reason);
}
