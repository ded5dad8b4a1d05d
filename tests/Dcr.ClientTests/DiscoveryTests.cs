using System.Net;
using System.Text.Json.Nodes;
using Dcr.Client;
using Dcr.ClientTests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Dcr.ClientTests;

/// <summary>RFC 8414: the server's metadata, and whom it may speak for.</summary>
public sealed class DiscoveryTests(RealServer server) : IClassFixture<RealServer>
{
    private readonly ScriptedServer _scripted = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reads_the_metadata_of_the_real_server()
    {
        var metadata = await server.Connect().DiscoverAsync(Cancellation);

        Assert.Equal(server.Issuer, metadata.Issuer);
        Assert.Equal(new Uri(server.Issuer + "/oauth/token"), metadata.TokenEndpoint);
        Assert.Equal(new Uri(server.Issuer + "/oauth/register"), metadata.RegistrationEndpoint);
        Assert.Contains("ES256", metadata.TokenEndpointAuthSigningAlgValuesSupported!);
    }

    [Theory]
    [InlineData("https://as.example", "https://as.example/.well-known/oauth-authorization-server")]
    [InlineData("https://as.example/", "https://as.example/.well-known/oauth-authorization-server")]
    [InlineData("https://as.example/tenant/7", "https://as.example/.well-known/oauth-authorization-server/tenant/7")]
    public async Task Asks_between_host_and_path(string issuer, string uri)
    {
        _scripted.Metadata["issuer"] = issuer;

        await Connect(issuer).DiscoverAsync(Cancellation);

        Assert.Equal(uri, Assert.Single(_scripted.Sent).Uri.AbsoluteUri);
    }

    [Theory]
    [InlineData("https://as.example/")]
    [InlineData("https://AS.example")]
    [InlineData("https://evil.example")]
    public async Task Rejects_metadata_for_another_issuer(string issuer)
    {
        _scripted.Metadata["issuer"] = issuer;

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => Connect().DiscoverAsync(Cancellation));

        Assert.Equal(HttpRequestError.InvalidResponse, fault.HttpRequestError);
        Assert.Contains(issuer, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("token_endpoint")]
    [InlineData("registration_endpoint")]
    public async Task Rejects_an_endpoint_that_is_not_https(string member)
    {
        _scripted.Metadata[member] = "http://as.example/endpoint";

        var fault = await Assert.ThrowsAsync<HttpRequestException>(() => Connect().DiscoverAsync(Cancellation));

        Assert.Contains(member, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rejects_metadata_without_a_token_endpoint()
    {
        _scripted.Metadata.Remove("token_endpoint");

        Assert.Equal(HttpRequestError.InvalidResponse, (await Assert.ThrowsAsync<HttpRequestException>(() => Connect().DiscoverAsync(Cancellation))).HttpRequestError);
    }

    [Fact]
    public async Task Keeps_the_metadata_for_an_hour_and_asks_once_for_all()
    {
        var time = new FakeTimeProvider();
        var dcr = new DcrClient(new HttpClient(_scripted), ScriptedServer.Issuer, new DcrClientOptions { Time = time });
        _scripted.Latency = TimeSpan.FromMilliseconds(50);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => dcr.DiscoverAsync(Cancellation)));
        Assert.Single(_scripted.Sent);

        time.Advance(TimeSpan.FromMinutes(61));
        await dcr.DiscoverAsync(Cancellation);
        Assert.Equal(2, _scripted.Sent.Count);
    }

    [Theory]
    [InlineData("http://as.example")]
    [InlineData("https://as.example?x=1")]
    [InlineData("https://as.example#x")]
    [InlineData("as.example")]
    public void Rejects_an_issuer_that_is_none(string issuer) => Assert.Throws<ArgumentException>(() => Connect(issuer));

    [Fact]
    public async Task A_server_that_refuses_is_no_transport_failure()
    {
        var dcr = new DcrClient(new HttpClient(new Refusing()), ScriptedServer.Issuer, RealServer.Quick);

        Assert.Equal(HttpStatusCode.NotFound, (await Assert.ThrowsAsync<DcrException>(() => dcr.DiscoverAsync(Cancellation))).StatusCode);
    }

    private DcrClient Connect(string issuer = ScriptedServer.Issuer) => new(new HttpClient(_scripted), issuer, RealServer.Quick);

    private sealed class Refusing : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(ScriptedServer.Json(HttpStatusCode.NotFound, new JsonArray()));
    }
}
