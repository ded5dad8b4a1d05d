using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dcr.Keys;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Dcr.UnitTests.Keys;

/// <summary>A certificate names where its issuer can be had; a stranger writes that too.</summary>
public sealed class CertificateDownloadTests
{
    [Fact]
    [Requirement("P-IP", "P-FETCH")]
    public async Task Fetches_nothing_that_a_certificate_names()
    {
        using var named = new TcpListener(IPAddress.Loopback, 0);
        named.Start();
        using var certificate = CertificateNaming($"http://127.0.0.1:{((IPEndPoint)named.LocalEndpoint).Port}/issuer.crt");
        using var host = new TcpListener(IPAddress.Loopback, 0);
        host.Start();
        var serving = ServeAsync(host, certificate);

        using var fetcher = new JwksFetcher(
            Options.Create(new JwksOptions { AllowPrivateNetworks = true }), NullLogger<JwksFetcher>.Instance, _ => [IPAddress.Loopback]);
        var outcome = await fetcher.FetchAsync(
            new Uri($"https://jwks.example:{((IPEndPoint)host.LocalEndpoint).Port}/"), JwksValidators.None, new FetchCaller(FetchRoom.Newcomer, "directory", "token"), TestContext.Current.CancellationToken);

        Assert.Equal(JwksFetchFailure.Unreachable, Assert.IsType<JwksFetchFailed>(outcome).Reason);
        await serving;
        Assert.False(named.Pending(), "the server went where the certificate told it to");
    }

    private static async Task ServeAsync(TcpListener host, X509Certificate2 certificate)
    {
        using var client = await host.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await using var tls = new SslStream(client.GetStream());
        try
        {
            // Offline: the host itself must not go and look for the issuer.
            var context = SslStreamCertificateContext.Create(certificate, additionalCertificates: null, offline: true);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = context }, TestContext.Current.CancellationToken);
            await tls.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);
        }
        catch (Exception exception) when (exception is IOException or System.Security.Authentication.AuthenticationException)
        {
            // The fetcher does not trust the certificate and hangs up.
        }
    }

    private static X509Certificate2 CertificateNaming(string issuer)
    {
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authority = new CertificateRequest("CN=Nobody knows it", authorityKey, HashAlgorithmName.SHA256);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authorityCertificate = authority.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=jwks.example", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("jwks.example");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [issuer]));
        using var certificate = request.Create(
            authorityCertificate, DateTimeOffset.UtcNow.AddMinutes(-30), DateTimeOffset.UtcNow.AddMinutes(30), RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }
}
