using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace Dcr.ProtocolTests.Support;

/// <summary>A connection byte for byte, for requests that no HTTP client would send, or would not stop in the middle.</summary>
public sealed class RawConnection : IDisposable
{
    private readonly Socket _socket;
    private readonly NetworkStream _stream;

    private RawConnection(Socket socket)
    {
        _socket = socket;
        _stream = new NetworkStream(socket, ownsSocket: true);
    }

    public static async Task<RawConnection> OpenAsync(DcrServer server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, server.Http.BaseAddress!.Port, TestContext.Current.CancellationToken);
        return new RawConnection(socket);
    }

    /// <summary>Text is sent as Latin-1: one byte for each character. False: the server has closed the connection.</summary>
    public async Task<bool> SendAsync(string text)
    {
        try
        {
            await _stream.WriteAsync(Encoding.Latin1.GetBytes(text), TestContext.Current.CancellationToken);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Everything that comes until the server closes the connection, or has been silent for a while.</summary>
    public async Task<string> ReadAsync(TimeSpan? silence = null)
    {
        var text = new StringBuilder();
        var buffer = new byte[16 * 1024];
        while (true)
        {
            using var wait = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            wait.CancelAfter(silence ?? TimeSpan.FromSeconds(60));
            try
            {
                var read = await _stream.ReadAsync(buffer, wait.Token);
                if (read == 0)
                {
                    return text.ToString();
                }
                text.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
            catch (Exception exception) when (exception is IOException || (exception is OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested))
            {
                // The server has reset the connection, or says no more.
                return text.ToString();
            }
        }
    }

    public void EndSending()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The server has ended the connection before.
        }
    }

    /// <summary>With a reset, as a phone that loses its network.</summary>
    public void BreakOff()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    public void Dispose() => _stream.Dispose();
}
