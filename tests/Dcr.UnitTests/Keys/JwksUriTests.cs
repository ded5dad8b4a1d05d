using Dcr.Keys;
using Xunit;

namespace Dcr.UnitTests.Keys;

public sealed class JwksUriTests
{
    [Theory]
    [Requirement("P-URI")]
    [InlineData("https://keys.example/jwks.json")]
    [InlineData("https://keys.example:8443/a/b?c=d")]
    [InlineData("https://xn--mnchen-3ya.example/jwks")]
    [InlineData("https://keys.example/@user")]
    public void Accepts_an_https_url_with_a_host_name(string uri) => Assert.Null(JwksUri.Fault(uri, new JwksOptions()));

    [Theory]
    [Requirement("P-URI", "P-IP")]
    [InlineData("http://keys.example/jwks")]
    [InlineData("ftp://keys.example/jwks")]
    [InlineData("file:///etc/passwd")]
    [InlineData("/jwks")]
    [InlineData("https://")]
    [InlineData("https://user@keys.example/jwks")]
    [InlineData("https://user:pass@keys.example/jwks")]
    [InlineData("https://@keys.example/jwks")]
    [InlineData("https://keys.example/jwks#x")]
    [InlineData("https://keys.example/jwks#")]
    [InlineData("https://keys.example:0/jwks")]
    [InlineData("https://keys.example\\@127.0.0.1/jwks")]
    [InlineData("https://keys.example/a b")]
    [InlineData("https://127.0.0.1/jwks")]
    [InlineData("https://93.184.216.34/jwks")]
    [InlineData("https://[::1]/jwks")]
    [InlineData("https://[::ffff:127.0.0.1]/jwks")]
    [InlineData("https://2130706433/jwks")]
    [InlineData("https://0177.0.0.1/jwks")]
    [InlineData("https://0x7f.1/jwks")]
    [InlineData("https://0x7f000001/jwks")]
    [InlineData("https://127.1/jwks")]
    [InlineData("https://127.0.0.1./jwks")]
    [InlineData("https://a.0x7f/jwks")]
    [InlineData("https://m\u00fcnchen.example/jwks")]
    [InlineData("https://look\u05beout.net/")]
    [InlineData("https://xn--te\u0161.example/")]
    [InlineData("https://xn--0000h.example/")]
    public void Rejects_everything_else(string uri) => Assert.NotNull(JwksUri.Fault(uri, new JwksOptions()));

    [Fact]
    [Requirement("P-URI")]
    public void Rejects_a_url_that_is_too_long() => Assert.NotNull(JwksUri.Fault("https://keys.example/" + new string('x', 2048), new JwksOptions()));

    [Fact]
    [Requirement("P-URI")]
    public void Accepts_http_and_addresses_only_where_they_are_allowed()
    {
        Assert.Null(JwksUri.Fault("http://keys.example/jwks", new JwksOptions { AllowHttp = true }));
        Assert.NotNull(JwksUri.Fault("http://127.0.0.1/jwks", new JwksOptions { AllowHttp = true }));
        Assert.Null(JwksUri.Fault("http://127.0.0.1/jwks", new JwksOptions { AllowHttp = true, AllowPrivateNetworks = true }));
    }
}
