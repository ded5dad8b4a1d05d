using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Dcr.Server;

/// <summary>The sockets that the server listens on.</summary>
internal sealed class ListenSockets
{
    private readonly ConcurrentBag<Socket> _sockets = [];

    public Socket Bind(EndPoint endPoint)
    {
        var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
        _sockets.Add(socket);
        return socket;
    }

    /// <summary>Whether a connection waits that the server has not taken yet: it would be reset when its socket is closed.</summary>
    public bool HasWaiting => _sockets.Any(socket => socket.Poll(0, SelectMode.SelectRead));

    /// <summary>
    /// From now on nobody is let in any more, as if the packet had been lost: a caller tries again, and is refused once the socket is
    /// closed. Elsewhere than on Linux nothing is done.
    /// </summary>
    public void LetNobodyIn()
    {
        if (OperatingSystem.IsLinux() && Environment.Is64BitProcess)
        {
            foreach (var socket in _sockets.Where(each => each.AddressFamily is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
            {
                DropPackets(socket);
            }
        }
    }

    // socket(7), SO_ATTACH_FILTER: a program of one instruction, "return 0", which takes no byte of any packet.
    private static void DropPackets(Socket socket)
    {
        const int SolSocket = 1;
        const int SoAttachFilter = 26;
        const ushort Return = 0x06;
        Span<byte> instruction = stackalloc byte[8];
        BinaryPrimitives.WriteUInt16LittleEndian(instruction, Return);
        var program = Marshal.AllocHGlobal(instruction.Length);
        try
        {
            Marshal.Copy(instruction.ToArray(), 0, program, instruction.Length);
            Span<byte> filter = stackalloc byte[16];
            BinaryPrimitives.WriteUInt16LittleEndian(filter, 1);
            BinaryPrimitives.WriteInt64LittleEndian(filter[8..], program);
            socket.SetRawSocketOption(SolSocket, SoAttachFilter, filter);
        }
        catch (SocketException)
        {
            // A kernel without socket filters: callers that come in the very last moment may be reset, as on other systems.
        }
        finally
        {
            Marshal.FreeHGlobal(program);
        }
    }
}
