using System.Net;
using System.Net.Sockets;

namespace Dcr.Keys;

/// <summary>
/// Opens connections to public addresses only. One look-up; every address in its answer must be public; and what was
/// checked is what is connected to, so an answer that changes in between changes nothing.
/// </summary>
internal sealed class PublicNetworkOnly(bool allowPrivateNetworks, Func<string, CancellationToken, Task<IPAddress[]>>? lookUp = null)
{
    private static readonly IPNetwork[] s_notPublic =
    [
        // IANA IPv4 Special-Purpose Address Registry.
        .. Networks(
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        // IANA IPv6 Special-Purpose Address Registry, within the one range that is global at all.
        .. Networks("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20"),
    ];

    private static readonly IPNetwork s_globalUnicast = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork s_nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork s_sixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork s_compatible = IPNetwork.Parse("::/96");

    // A look-up that hangs holds a thread of the system's resolver whatever is cancelled: never more than these.
    private static readonly SemaphoreSlim s_lookUps = new(16, 16);

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _lookUp = lookUp ?? Dns.GetHostAddressesAsync;

    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    /// <exception cref="NotPublicAddressException">The host has an address that is not public.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var host = context.DnsEndPoint.Host;
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await LookUpAsync(host, cancellationToken);
        if (!allowPrivateNetworks && addresses.Any(address => !IsPublic(address)))
        {
            throw new NotPublicAddressException();
        }
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async Task<IPAddress[]> LookUpAsync(string host, CancellationToken cancellationToken)
    {
        await s_lookUps.WaitAsync(cancellationToken);
        // A name that cannot be one makes the resolver throw at once; as a task, that gives the place back too.
        var lookUp = Task.Run(() => _lookUp(host, cancellationToken), CancellationToken.None);
        // The place is given back when the look-up ends, which may be after its caller has given up.
        _ = lookUp.ContinueWith(_ => s_lookUps.Release(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return await lookUp.WaitAsync(cancellationToken);
    }

    /// <summary>IPv4 inside an IPv6 address is judged as the IPv4 address that it leads to.</summary>
    internal static bool IsPublic(IPAddress address)
    {
        if (Embedded(address) is { } inner)
        {
            return IsPublic(inner);
        }
        return (address.AddressFamily == AddressFamily.InterNetwork || s_globalUnicast.Contains(address))
            && !s_notPublic.Any(network => network.Contains(address));
    }

    private static IPAddress? Embedded(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return null;
        }
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }
        var bytes = address.GetAddressBytes();
        if (s_nat64.Contains(address) || s_compatible.Contains(address))
        {
            return new IPAddress(bytes.AsSpan(12, 4));
        }
        return s_sixToFour.Contains(address) ? new IPAddress(bytes.AsSpan(2, 4)) : null;
    }

    private static IEnumerable<IPNetwork> Networks(params string[] networks) => networks.Select(network => IPNetwork.Parse(network));
}

/// <summary>A host name led to an address that is not public.</summary>
internal sealed class NotPublicAddressException : Exception
{
    public NotPublicAddressException()
        : base("The host has an address that is not public.")
    {
    }

    public NotPublicAddressException(string message)
        : base(message)
    {
    }

    public NotPublicAddressException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
