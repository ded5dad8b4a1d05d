using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Dcr.CliTests.Support;

/// <summary>A web server on this machine that answers every request in one way, and counts them.</summary>
internal sealed class LoopbackHost : IDisposable
{
    private readonly HttpListener _listener = new();
    private int _requests;

    public LoopbackHost()
    {
        Address = $"http://127.0.0.1:{Ports.Free()}";
        _listener.Prefixes.Add(Address + "/");
        _listener.Start();
        _ = AnswerAsync();
    }

    public string Address { get; }

    public string JwksUri => Address + "/jwks.json";

    public int Requests => Volatile.Read(ref _requests);

    /// <summary>What is served.</summary>
    public JsonNode Body { get; set; } = new JsonObject();

    public string ContentType { get; set; } = "application/json";

    public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

    /// <summary>How far the clock of this host is ahead.</summary>
    public TimeSpan Ahead { get; set; }

    /// <summary>As if it were a server whose issuer is its address.</summary>
    public LoopbackHost AsServer()
    {
        Body = new JsonObject { ["issuer"] = Address, ["token_endpoint"] = Address + "/oauth/token" };
        return this;
    }

    public void Dispose() => _listener.Close();

    private async Task AnswerAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            Interlocked.Increment(ref _requests);
            context.Response.StatusCode = (int)Status;
            context.Response.ContentType = ContentType;
            context.Response.Headers["Cache-Control"] = "max-age=120";
            context.Response.Headers["Date"] = (DateTimeOffset.UtcNow + Ahead).ToString("R");
            context.Response.Close(Encoding.UTF8.GetBytes(Body.ToJsonString()), willBlock: true);
        }
    }
}
