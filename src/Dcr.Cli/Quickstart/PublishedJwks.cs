using System.Net;
using System.Net.Sockets;
using System.Text;
using Dcr.Client;

namespace Dcr.Cli;

/// <summary>A web server on this machine with one page, a JWK Set (RFC 7517): what a partner has at its <c>jwks_uri</c>.</summary>
internal sealed class PublishedJwks : IAsyncDisposable
{
    private const int Attempts = 10;

    private readonly HttpListener _listener;
    private readonly Action<PublishedJwks> _downloaded;
    private readonly Task _serving;
    private volatile PublicJwkSet _keys;
    private volatile int _downloads;

    private PublishedJwks(HttpListener listener, string url, PublicJwkSet keys, Action<PublishedJwks> downloaded)
    {
        _listener = listener;
        _keys = keys;
        _downloaded = downloaded;
        Url = url;
        _serving = ServeAsync();
    }

    /// <summary>What to register as <c>jwks_uri</c>.</summary>
    public string Url { get; }

    /// <summary>What is served.</summary>
    public PublicJwkSet Keys => _keys;

    /// <summary>How often somebody has come for it.</summary>
    public int Downloads => _downloads;

    /// <summary>Serves from now on, at a port that is free.</summary>
    /// <param name="keys">The keys at first.</param>
    /// <param name="downloaded">Is told of each download, before it is answered, on another thread.</param>
    public static PublishedJwks Start(PublicJwkSet keys, Action<PublishedJwks> downloaded)
    {
        for (var attempt = 1; ; attempt++)
        {
            var root = $"http://127.0.0.1:{FreePort()}/";
            var listener = new HttpListener { Prefixes = { root } };
            try
            {
                listener.Start();
                return new PublishedJwks(listener, root + "jwks.json", keys, downloaded);
            }
            catch (HttpListenerException) when (attempt < Attempts)
            {
                // Somebody else took the port meanwhile.
                listener.Close();
            }
        }
    }

    /// <summary>Serves these in place of those before.</summary>
    public void Publish(PublicJwkSet keys) => _keys = keys;

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                await AnswerAsync(await _listener.GetContextAsync());
            }
            catch (Exception exception) when (
                exception is HttpListenerException or ObjectDisposedException or InvalidOperationException or IOException)
            {
                if (!_listener.IsListening)
                {
                    return;
                }
                // Whoever asked has gone.
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        using var response = context.Response;
        if (context.Request.HttpMethod != "GET" || context.Request.Url?.AbsolutePath != "/jwks.json")
        {
            response.StatusCode = (int)HttpStatusCode.NotFound;
            return;
        }
        Interlocked.Increment(ref _downloads);
        _downloaded(this);
        response.ContentType = "application/jwk-set+json";
        // How soon a withdrawn key is refused at the latest.
        response.AddHeader("Cache-Control", "max-age=60");
        await response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(_keys.ToJson()));
    }
}
