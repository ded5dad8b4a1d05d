using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;

namespace Dcr.Protocol.RateLimits;

/// <summary>
/// The address that a request is counted under: that of the connection, or what a trusted proxy says of it. An IPv6 address counts as
/// its /64, since whoever has one address there has them all.
/// </summary>
internal sealed class CallerAddresses(IOptions<RateLimitOptions> options)
{
    private const int SubscriberBytes = 8;

    private readonly IPNetwork[] _trusted =
        [.. options.Value.TrustedProxies.Select(RateLimitOptionsValidator.ParseNetwork).OfType<IPNetwork>()];

    public IPAddress Of(HttpContext context) => OfSubscriber(Believed(context));

    /// <summary>An IPv4 address that came in over an IPv6 socket as what it is.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private IPAddress Believed(HttpContext context)
    {
        // Not TCP, such as a Unix socket: whoever may use that is one caller.
        var connected = Plain(context.Connection.RemoteIpAddress ?? IPAddress.None);
        if (!IsTrusted(connected))
        {
            return connected;
        }
        var headers = context.Request.Headers;
        var byOldName = Walk(connected, Elements(headers["X-Forwarded-For"]));
        var byStandard = Walk(connected, Elements(headers["Forwarded"]).Select(ForOf));
        // A proxy that writes one of the two may pass on a stranger's other one: where both are there, they must agree.
        return (headers.ContainsKey("X-Forwarded-For"), headers.ContainsKey("Forwarded")) switch
        {
            (true, false) => byOldName,
            (false, true) => byStandard,
            _ => byOldName.Equals(byStandard) ? byOldName : connected,
        };
    }

    /// <summary>
    /// From the nearest hop outwards, as long as each is a proxy that is trusted; what a stranger wrote is never reached.
    /// </summary>
    private IPAddress Walk(IPAddress connected, IEnumerable<string> hops)
    {
        var address = connected;
        foreach (var hop in hops.Reverse())
        {
            if (!IsTrusted(address) || Parse(hop) is not { } next)
            {
                break;
            }
            address = next;
        }
        return address;
    }

    private bool IsTrusted(IPAddress address) => _trusted.Any(network => network.Contains(address));

    private static IEnumerable<string> Elements(StringValues fields) =>
        fields.SelectMany(field => (field ?? "").Split(',', StringSplitOptions.TrimEntries));

    /// <summary>RFC 7239 section 4: the <c>for</c> parameter of an element.</summary>
    private static string ForOf(string element) => element.Split(';', StringSplitOptions.TrimEntries)
        .Where(parameter => parameter.StartsWith("for=", StringComparison.OrdinalIgnoreCase))
        .Select(parameter => parameter[4..].Trim('"'))
        .FirstOrDefault("");

    // With or without a port; RFC 7239 section 6 has IPv6 in brackets. "unknown" and obfuscated names say nothing.
    private static IPAddress? Parse(string hop) => IPEndPoint.TryParse(hop, out var endPoint) ? Plain(endPoint.Address) : null;

    private static IPAddress OfSubscriber(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(SubscriberBytes).Clear();
        return new IPAddress(bytes);
    }
}
