using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Xunit;

namespace Dcr.ProtocolTests.Support;

/// <summary>A request that is held open one byte short of its body, for as long as a test likes.</summary>
public sealed class HeldRequest : IDisposable
{
    private readonly DcrServer _server;
    private readonly TcpClient _connection;
    private readonly byte[] _last;

    private HeldRequest(DcrServer server, TcpClient connection, byte[] last) => (_server, _connection, _last) = (server, connection, last);

    public static Task<HeldRequest> SendAsync(DcrServer server, HttpMethod method, string path, string authorization, JsonObject body) =>
        SendAsync(server, method, path, "application/json", body.ToJsonString(), ("Authorization", authorization));

    public static async Task<HeldRequest> SendAsync(
        DcrServer server, HttpMethod method, string path, string contentType, string body, params (string Name, string Value)[] headers)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var request = new StringBuilder();
        // HTTP/1.0: the answer ends with the connection, and comes in one piece.
        request.Append(CultureInfo.InvariantCulture, $"{method} {path} HTTP/1.0\r\nContent-Type: {contentType}\r\nContent-Length: {bytes.Length}\r\n");
        foreach (var (name, value) in headers)
        {
            request.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        }
        request.Append("\r\n");
        var connection = new TcpClient(AddressFamily.InterNetwork) { NoDelay = true };
        await connection.ConnectAsync(IPAddress.Loopback, server.Http.BaseAddress!.Port, TestContext.Current.CancellationToken);
        await connection.GetStream().WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(request.ToString()), .. bytes[..^1]], TestContext.Current.CancellationToken);
        // Long enough for the server to have judged what came so far; if it has not, the test is only easier to pass.
        await Task.Delay(TimeSpan.FromMilliseconds(150), TestContext.Current.CancellationToken);
        return new HeldRequest(server, connection, bytes[^1..]);
    }

    /// <summary>Sends the last byte and reads the answer.</summary>
    public async Task<Answer> CompleteAsync()
    {
        await _connection.GetStream().WriteAsync(_last, TestContext.Current.CancellationToken);
        return await RawRequest.ReadAnswerAsync(_server, _connection);
    }

    public void Dispose() => _connection.Dispose();
}
