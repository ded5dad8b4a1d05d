using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Dcr.ProtocolTests.Support;

/// <summary>A partner's web server with a JWK Set at <see cref="Url"/>, which tests may change.</summary>
public sealed class JwksHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private JwksHost(WebApplication app, string url, string document)
    {
        _app = app;
        Url = url;
        Document = document;
    }

    public string Url { get; }

    public string Document { get; set; }

    public static async Task<JwksHost> StartAsync(string document)
    {
        var address = $"http://127.0.0.1:{DcrServer.FreePort()}";
        var app = WebApplication.CreateSlimBuilder(["--urls", address, "--Logging:LogLevel:Default", "None"]).Build();
        var host = new JwksHost(app, address + "/jwks", document);
        app.MapGet("/jwks", () => Results.Text(host.Document, "application/json"));
        await app.StartAsync();
        return host;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
