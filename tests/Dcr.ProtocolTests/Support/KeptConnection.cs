using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dcr.ProtocolTests.Support;

/// <summary>An HTTP/1.1 connection by hand, kept from one request to the next: nothing is sent a second time behind the caller's back.</summary>
public sealed class KeptConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[16 * 1024];

    public static async Task<KeptConnection> OpenAsync(int port, CancellationToken cancellationToken)
    {
        var connection = new KeptConnection();
        try
        {
            await connection._socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <returns>The status, and whether the answer is the last on this connection.</returns>
    /// <exception cref="IOException">The connection ended before the whole answer was there.</exception>
    public async Task<(int Status, bool IsLast)> GetAsync(string path, CancellationToken cancellationToken)
    {
        await _socket.SendAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"), cancellationToken);
        var text = "";
        int end;
        while ((end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal)) < 0)
        {
            text += await ReceiveAsync(cancellationToken);
        }
        var fields = text[..end].Split("\r\n");
        var body = text.Length - end - 4;
        if (Value(fields, "Transfer-Encoding") is not null)
        {
            while (!text.EndsWith("0\r\n\r\n", StringComparison.Ordinal))
            {
                text += await ReceiveAsync(cancellationToken);
            }
        }
        else
        {
            var length = int.Parse(Value(fields, "Content-Length") ?? "0", CultureInfo.InvariantCulture);
            while (body < length)
            {
                body += (await ReceiveAsync(cancellationToken)).Length;
            }
        }
        return (int.Parse(fields[0].Split(' ')[1], CultureInfo.InvariantCulture), Value(fields, "Connection") == "close");
    }

    public void Dispose() => _socket.Dispose();

    private static string? Value(string[] fields, string name) =>
        fields.Where(field => field.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase)).Select(field => field[(name.Length + 2)..]).FirstOrDefault();

    private async Task<string> ReceiveAsync(CancellationToken cancellationToken)
    {
        var received = await _socket.ReceiveAsync(_buffer, cancellationToken);
        return received > 0 ? Encoding.ASCII.GetString(_buffer, 0, received) : throw new IOException("the connection was closed before the answer");
    }
}
