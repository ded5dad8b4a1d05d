using System.Net.Sockets;

namespace Dcr.Cli;

/// <summary>
/// Sends what is for the server to another address, such as to the node itself behind a proxy. The issuer stays what it is, and so do
/// the URLs in assertions and proofs. An https address is another machine for the same name, whose certificate must be the server's; an
/// http address is this machine.
/// </summary>
internal sealed class ConnectTo : DelegatingHandler
{
    private readonly Uri _server;
    private readonly Uri _address;

    private ConnectTo(Uri server, Uri address, SocketsHttpHandler network)
        : base(network)
    {
        (_server, _address) = (server, address);
        if (address.Scheme == Uri.UriSchemeHttps)
        {
            network.ConnectCallback = ConnectAsync;
        }
    }

    /// <param name="server">The issuer.</param>
    /// <param name="address">Where to connect: scheme, host and port.</param>
    /// <param name="network">What connects.</param>
    /// <exception cref="CommandFailure">It is no address that can be used.</exception>
    public static ConnectTo Create(string server, string address, SocketsHttpHandler network) =>
        new(new Uri(server), Parse(address), network);

    /// <summary>An address as <c>--connect-to</c> takes it.</summary>
    /// <exception cref="CommandFailure">It is none.</exception>
    public static Uri Parse(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri is { AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "" }
            && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
                ? uri
                : throw CommandFailure.Usage(
                    $"--connect-to {address} is no address: https://HOST:PORT, or http://127.0.0.1:PORT for this machine.");

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (_address.Scheme == Uri.UriSchemeHttp
            && request.RequestUri is { } uri
            && uri.Authority == _server.Authority
            && uri.Scheme == _server.Scheme)
        {
            request.Headers.Host = uri.Authority;
            request.RequestUri = new UriBuilder(uri) { Scheme = _address.Scheme, Host = _address.Host, Port = _address.Port }.Uri;
        }
        return base.SendAsync(request, cancellationToken);
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var isServer = context.DnsEndPoint.Host == _server.IdnHost && context.DnsEndPoint.Port == _server.Port;
        var (host, port) = isServer ? (_address.IdnHost, _address.Port) : (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
