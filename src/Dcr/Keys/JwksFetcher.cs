using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Dcr.Jose;
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
    private readonly FetchShares _shares = new();
    private readonly PublicNetworkOnly _network;
    private readonly HttpClient _http;
    private readonly ILogger<JwksFetcher> _logger;

    public JwksFetcher(IOptions<JwksOptions> options, ILogger<JwksFetcher> logger)
        : this(options, logger, lookUp: null)
    {
    }

    /// <param name="options">Limits.</param>
    /// <param name="logger">What failed and why.</param>
    /// <param name="lookUp">How host names become addresses. Null: the system's resolver.</param>
    internal JwksFetcher(IOptions<JwksOptions> options, ILogger<JwksFetcher> logger, Func<string, IPAddress[]>? lookUp)
    {
        _options = options.Value;
        _logger = logger;
        _network = new PublicNetworkOnly(_options.AllowPrivateNetworks, lookUp);
        _http = FetchConnections.Create(_options);
    }

    /// <param name="uri">The <c>jwks_uri</c>.</param>
    /// <param name="known">What is known of an earlier document, to be spared the same one again.</param>
    /// <param name="caller">Whose share it is.</param>
    /// <param name="cancellationToken">Ends the download.</param>
    public async Task<JwksFetchOutcome> FetchAsync(Uri uri, JwksValidators known, FetchCaller caller, CancellationToken cancellationToken)
    {
        if (JwksUri.Fault(uri.OriginalString, _options) is { } fault)
        {
            return Failed(JwksFetchFailure.NotAllowed, fault, uri);
        }
        using var turn = await _shares.TakeAsync(caller, $"{uri.IdnHost}:{uri.Port}", _options.FetchTimeout, cancellationToken);
        if (turn is null)
        {
            LogBusy(uri.IdnHost, caller.Room);
            return new JwksFetchBusy();
        }
        return await TryFetchAsync(uri, known, turn, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async Task<JwksFetchOutcome> TryFetchAsync(Uri uri, JwksValidators known, FetchTurn turn, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_options.FetchTimeout);
        try
        {
            var lookUp = _network.LookUpAsync(uri.IdnHost);
            turn.HoldFor(lookUp);
            var addresses = await lookUp.WaitAsync(timeout.Token);
            return _network.Allows(addresses)
                ? await DownloadAsync(uri, known, addresses, timeout.Token)
                : Failed(JwksFetchFailure.NotPublic, "the host must have public addresses only.", uri);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed(JwksFetchFailure.Timeout, $"the document did not arrive within {_options.FetchTimeout.TotalSeconds:0.#} s.", uri);
        }
        catch (HttpRequestException exception) when (exception.InnerException is AuthenticationException)
        {
            return Failed(
                JwksFetchFailure.Unreachable,
                "the TLS connection could not be made; check the certificate, and that the host sends its whole chain.",
                uri);
        }
        // ArgumentException: a name that cannot be one, which the resolver finds.
        catch (Exception exception) when (
            exception is HttpRequestException or IOException or InvalidDataException or SocketException or ArgumentException)
        {
            return Failed(JwksFetchFailure.Unreachable, "the host could not be reached, or broke off.", uri);
        }
    }

    private async Task<JwksFetchOutcome> DownloadAsync(
        Uri uri, JwksValidators known, IPAddress[] addresses, CancellationToken cancellationToken)
    {
        using var request = Conditional(uri, known);
        PublicNetworkOnly.Direct(request, addresses);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotModified && known != JwksValidators.None)
        {
            return new JwksNotModified(MaxAge(response));
        }
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return Failed(
                JwksFetchFailure.Status, $"the host answered {(int)response.StatusCode}; it must be 200, without redirects.", uri);
        }
        // Its media type does not matter: a key document is what it is, and plain files are often served as text.
        return await ReadAtMostAsync(response.Content, cancellationToken) is { } bytes
            ? Parse(
                bytes, new JwksValidators(response.Headers.ETag?.ToString(), response.Content.Headers.LastModified), MaxAge(response), uri)
            : Failed(JwksFetchFailure.TooLarge, $"the document is larger than {_options.MaxBytes} bytes.", uri);
    }

    /// <summary>
    /// One text for whatever goes wrong before there is a document that claims to be a JWK Set: whoever may register could otherwise
    /// have this server say which ports of a network are closed, mute, or answer what.
    /// </summary>
    private JwksFetchFailed Failed(JwksFetchFailure reason, string detail, Uri uri)
    {
        LogFailed(uri.IdnHost, reason, detail);
        var seconds = _options.FetchTimeout.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);
        return new JwksFetchFailed(reason, detail, reason switch
        {
            JwksFetchFailure.NotAllowed or JwksFetchFailure.NotAJwkSet => detail,
            _ => "no JWK Set could be fetched from there. It must be at public addresses only, with a certificate whose whole chain "
                + $"the host sends, and a GET be answered within {seconds} s by 200, without redirects, and at most {_options.MaxBytes} "
                + "bytes of JSON with the member keys (RFC 7517 section 5).",
        });
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

    /// <summary>Counts bytes as they come out of decompression, so that a bomb is given up early. Null: too many.</summary>
    private async Task<byte[]?> ReadAtMostAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[_options.MaxBytes + 1];
        var read = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return read > _options.MaxBytes ? null : buffer[..read];
    }

    private JwksFetchOutcome Parse(byte[] bytes, JwksValidators validators, TimeSpan? maxAge, Uri uri)
    {
        // Some editors begin a file with a byte order mark; RFC 8259 section 8.1 lets a reader pass over it.
        var utf8 = bytes.AsMemory(bytes.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? Encoding.UTF8.Preamble.Length : 0);
        if (!Utf8.IsValid(utf8.Span))
        {
            return Failed(JwksFetchFailure.NotJson, "the document is not valid UTF-8.", uri);
        }
        try
        {
            using var document = JsonDocument.Parse(utf8, s_strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("keys", out var keys) || keys.ValueKind != JsonValueKind.Array)
            {
                return Failed(JwksFetchFailure.NotJson, "the document is no JWK Set (RFC 7517 section 5).", uri);
            }
            var set = new JwkSet { Keys = [.. keys.EnumerateArray()] };
            return PublicKeySet.ReadDownloaded(set, _options.MaxKeys, out var fault) is { } usable
                ? new JwksFetched(usable, validators, maxAge)
                : Failed(JwksFetchFailure.NotAJwkSet, $"the document: {fault}", uri);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a lone surrogate escape, found when its string is asked for.
            return Failed(JwksFetchFailure.NotJson, "the document is not JSON with each member named once.", uri);
        }
    }

    [LoggerMessage(EventId = 1301, Level = LogLevel.Information, Message = "Download of a JWK Set from {Host} failed: {Reason}: {Detail}")]
    private partial void LogFailed(Printed host, JwksFetchFailure reason, Printed detail);

    [LoggerMessage(
        EventId = 1302,
        Level = LogLevel.Warning,
        Message = "Download of a JWK Set from {Host} did not come to its turn among those of room {Room}")]
    private partial void LogBusy(Printed host, FetchRoom room);
}
