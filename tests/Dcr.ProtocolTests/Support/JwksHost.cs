using System.Buffers.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Dcr.ProtocolTests.Support;

/// <summary>A partner's web server with a JWK Set at <see cref="Url"/>, which tests may change.</summary>
public sealed class JwksHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _requests;

    private JwksHost(WebApplication app, string url, string document)
    {
        _app = app;
        Url = url;
        Document = document;
    }

    /// <summary>With <c>?document=</c> and bytes in base64url it serves those.</summary>
    public string Url { get; }

    public string Document { get; set; }

    public int Requests => _requests;

    /// <summary>Names and values of the last request's headers.</summary>
    public IReadOnlyDictionary<string, string> LastHeaders { get; private set; } = new Dictionary<string, string>();

    /// <summary>How long the host takes to answer.</summary>
    public TimeSpan Delay { get; set; }

    public static async Task<JwksHost> StartAsync(string document, int hosts = 1)
    {
        var port = Ports.Free();
        var address = $"http://127.0.0.1:{port}";
        // Also under other names, which to the server are other hosts.
        var addresses = string.Join(';', Enumerable.Range(1, hosts).Select(i => $"http://127.0.0.{i}:{port}"));
        var app = WebApplication.CreateSlimBuilder(["--urls", addresses, "--Logging:LogLevel:Default", "None"]).Build();
        var host = new JwksHost(app, address + "/jwks", document);
        app.MapGet("/jwks", async (HttpRequest request, string? document, CancellationToken cancellationToken) =>
        {
            Interlocked.Increment(ref host._requests);
            host.LastHeaders = request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
            await Task.Delay(host.Delay, cancellationToken);
            return document is null ? Results.Text(host.Document, "application/json") : Results.Bytes(Base64Url.DecodeFromChars(document), "application/json");
        });
        await app.StartAsync();
        return host;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
