using System.Net;
using Dcr.Protocol.RateLimits;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Xunit;

namespace Dcr.UnitTests.RateLimits;

/// <summary>Whose bucket a request is counted in: what a proxy says is believed of trusted proxies only.</summary>
public sealed class CallerAddressTests
{
    private static string Of(string connected, string? forwardedFor = null, string? forwarded = null)
    {
        var addresses = new CallerAddresses(Options.Create(new RateLimitOptions { TrustedProxies = ["10.0.0.0/8", "2001:db8:1::1"] }));
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(connected);
        if (forwardedFor is not null)
        {
            context.Request.Headers["X-Forwarded-For"] = forwardedFor.Split('|');
        }
        if (forwarded is not null)
        {
            context.Request.Headers["Forwarded"] = forwarded.Split('|');
        }
        return addresses.Of(context).ToString();
    }

    [Theory]
    [Requirement("P-RATE")]
    [InlineData("203.0.113.1", "192.0.2.1", "203.0.113.1")]
    [InlineData("10.0.0.1", "192.0.2.1", "192.0.2.1")]
    [InlineData("::ffff:10.0.0.1", "192.0.2.1:4711", "192.0.2.1")]
    [InlineData("10.0.0.1", "6.6.6.6, 192.0.2.1", "192.0.2.1")]
    [InlineData("10.0.0.1", "6.6.6.6, 192.0.2.1, 10.0.0.2", "192.0.2.1")]
    [InlineData("10.0.0.1", "6.6.6.6|192.0.2.1", "192.0.2.1")]
    [InlineData("10.0.0.1", "192.0.2.1, unknown", "10.0.0.1")]
    [InlineData("10.0.0.1", "192.0.2.1, unknown, 10.0.0.2", "10.0.0.2")]
    [InlineData("10.0.0.1", "", "10.0.0.1")]
    [InlineData("2001:db8:1::1", "[2001:db8:7:8:9::1]:443", "2001:db8:7:8::")]
    public void Believes_X_Forwarded_For_as_far_as_the_proxies_are_trusted(string connected, string forwardedFor, string expected) =>
        Assert.Equal(expected, Of(connected, forwardedFor));

    [Theory]
    [Requirement("P-RATE")]
    [InlineData("203.0.113.1", "for=192.0.2.1", "203.0.113.1")]
    [InlineData("10.0.0.1", "for=192.0.2.1;proto=https", "192.0.2.1")]
    [InlineData("10.0.0.1", "for=6.6.6.6, proto=https; For=\"[2001:db8:7:8:9::1]:443\"", "2001:db8:7:8::")]
    [InlineData("10.0.0.1", "for=6.6.6.6, for=_hidden", "10.0.0.1")]
    [InlineData("10.0.0.1", "proto=https", "10.0.0.1")]
    public void Believes_Forwarded_as_far_as_the_proxies_are_trusted(string connected, string forwarded, string expected) =>
        Assert.Equal(expected, Of(connected, forwarded: forwarded));

    [Fact]
    [Requirement("P-RATE")]
    public void Takes_the_proxys_own_address_where_the_two_headers_differ()
    {
        Assert.Equal("192.0.2.1", Of("10.0.0.1", "192.0.2.1", "for=192.0.2.1"));
        Assert.Equal("10.0.0.1", Of("10.0.0.1", "192.0.2.1", "for=192.0.2.2"));
    }

    [Fact]
    [Requirement("P-RATE")]
    public void Counts_an_IPv6_subscriber_as_one() => Assert.Equal(Of("2001:db8:7:8:9::1"), Of("2001:db8:7:8:aaaa:bbbb:cccc:dddd"));
}
