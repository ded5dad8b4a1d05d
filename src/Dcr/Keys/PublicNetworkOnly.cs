using System.Net;
using System.Net.Sockets;

namespace Dcr.Keys;

/// <summary>
/// Opens connections to public addresses only. One look-up; every address in its answer must be public; and what was
/// checked is what is connected to, so an answer that changes in between changes nothing.
/// </summary>
internal sealed class PublicNetworkOnly(bool allowPrivateNetworks, Func<string, IPAddress[]>? lookUp = null)
{
    /// <summary>What a request may connect to.</summary>
    private static readonly HttpRequestOptionsKey<IPAddress[]> s_addresses = new("Dcr.Addresses");

    private static readonly IPNetwork[] s_notPublic =
    [
        // IANA IPv4 Special-Purpose Address Registry.
        .. Networks(
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
            "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
            "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        // A cloud's own services for a machine, at an address that looks like any other.
        .. Networks("168.63.129.16/32"),
        // IANA IPv6 Special-Purpose Address Registry, within the one range that is global at all. Teredo is in 2001::/23; 6to4 is
        // 2002::/16: both lead to an IPv4 address inside.
        .. Networks("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
    ];

    private static readonly IPNetwork s_globalUnicast = IPNetwork.Parse("2000::/3");

    private readonly Func<string, IPAddress[]> _lookUp = lookUp ?? Dns.GetHostAddresses;

    /// <summary>
    /// The addresses of a host. The task ends when the look-up does, however long the resolver takes: it holds a thread of its own,
    /// so that names that hang keep no other work waiting.
    /// </summary>
    public Task<IPAddress[]> LookUpAsync(string host) => IPAddress.TryParse(host, out var literal)
        ? Task.FromResult<IPAddress[]>([literal])
        : Task.Factory.StartNew(() => _lookUp(host), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>False: one of them is not public, and none may be connected to.</summary>
    public bool Allows(IPAddress[] addresses) => addresses.Length > 0 && (allowPrivateNetworks || addresses.All(IsPublic));

    /// <summary>What <see cref="ConnectAsync"/> connects the request to.</summary>
    public static void Direct(HttpRequestMessage request, IPAddress[] addresses) => request.Options.Set(s_addresses, addresses);

    /// <summary>For <see cref="SocketsHttpHandler.ConnectCallback"/>.</summary>
    public static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (!context.InitialRequestMessage.Options.TryGetValue(s_addresses, out var addresses))
        {
            throw new InvalidOperationException("A request whose addresses were not looked up and checked.");
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

    /// <summary>
    /// IPv4 inside an IPv6 address (mapped, compatible, NAT64, 6to4, Teredo) is refused whatever it leads to: a host that is public
    /// has an address that says so.
    /// </summary>
    internal static bool IsPublic(IPAddress address) =>
        !address.IsIPv4MappedToIPv6
        && (address.AddressFamily == AddressFamily.InterNetwork || s_globalUnicast.Contains(address))
        && !s_notPublic.Any(network => network.Contains(address));

    private static IEnumerable<IPNetwork> Networks(params string[] networks) => networks.Select(network => IPNetwork.Parse(network));
}
