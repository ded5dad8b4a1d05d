using System.Net;
using System.Net.Sockets;

namespace Dcr;

/// <summary>
/// Ports for servers whose address must be known before they listen. They are below those that the system gives to outgoing connections,
/// and each is this process's own until it ends, so that nothing takes one between its choice and its use.
/// </summary>
public static class Ports
{
    private const int First = 10_000;
    private const int End = 32_000;

    private static readonly Lock s_lock = new();
    private static readonly List<FileStream> s_taken = [];
    private static int s_next = Random.Shared.Next(First, End);

    public static int Free()
    {
        lock (s_lock)
        {
            for (var attempt = First; attempt < End; attempt++)
            {
                s_next = s_next + 1 < End ? s_next + 1 : First;
                if (TryTake(s_next))
                {
                    return s_next;
                }
            }
        }
        throw new InvalidOperationException("No port is free.");
    }

    private static bool TryTake(int port)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), "dcr-test-ports"));
        FileStream? mark = null;
        try
        {
            mark = new FileStream(
                Path.Combine(folder.FullName, $"{port}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            s_taken.Add(mark);
            return true;
        }
        catch (Exception exception) when (exception is IOException or SocketException)
        {
            // Another process has it.
            mark?.Dispose();
            return false;
        }
    }
}
